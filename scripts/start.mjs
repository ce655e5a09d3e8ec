// `npm start`: sets the clone up when needed, then runs `tandem up` with the pinned Node.
import { join } from 'node:path';
import { launch } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';
import { runTandem } from './tandem-process.mjs';

await launch(() => {
  setUp({ development: false });
  return runTandem(join(ROOT, 'src/cli/main.ts'), ['up', ...process.argv.slice(2)]);
});
