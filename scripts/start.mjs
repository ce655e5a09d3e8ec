// `npm start`: sets the clone up when needed, then runs `tandem up` with the pinned Node.
import { join } from 'node:path';
import { launch, runPinnedNode } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';

await launch(() => {
  setUp({ development: false });
  // Types stripped and code compiled by an earlier start are taken from here: a third of the start-up time.
  const compileCache = join(ROOT, 'node_modules/.cache/tandem-compile');
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env };
  return runPinnedNode([join(ROOT, 'src/cli/main.ts'), 'up', ...process.argv.slice(2)], { env });
});
