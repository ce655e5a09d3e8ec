// `npm start`: sets the clone up when needed, then runs `tandem up` with the pinned Node.
import { join } from 'node:path';
import { launch, runPinnedNode } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';

await launch(() => {
  setUp({ development: false });
  return runPinnedNode([join(ROOT, 'src/cli/main.ts'), 'up', ...process.argv.slice(2)]);
});
