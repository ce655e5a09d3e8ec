// `npm run crash-rounds -- ROUNDS [--seed N] [--postgresql URL]`: kills a busy server again and again, with the pinned Node.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findNode, launch } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';

await launch(async () => {
  setUp({ development: true });
  const program = join(ROOT, 'conformance', 'crash-rounds', 'main.ts');
  const child = spawn(findNode(), [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
});
