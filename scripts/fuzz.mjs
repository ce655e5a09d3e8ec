// `npm run fuzz -- <target>|all --seconds 600 --seed 1`: gives the readers of untrusted bytes what they do not expect.
import { join } from 'node:path';
import { launch, runPinnedNode } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';

await launch(() => {
  setUp({ development: true });
  return runPinnedNode([join(ROOT, 'conformance/fuzz/main.ts'), ...process.argv.slice(2)]);
});
