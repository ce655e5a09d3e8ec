#!/usr/bin/env node
// The `tandem` command: starts the pinned Node with the program, as built (installed) or as written (in a clone).
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch } from './pinned-node.mjs';
import { runTandem } from './tandem-process.mjs';

const place = (path) => fileURLToPath(new URL(path, import.meta.url));

await launch(() => {
  // Node refuses TypeScript below node_modules, so the package carries dist and no src; a clone may have both.
  const program = [place('../src/cli/main.ts'), place('../dist/cli/main.js')].find((path) => existsSync(path));
  if (program === undefined) throw new Error('the program is missing from this folder; install Tandem again.');
  return runTandem(program, process.argv.slice(2));
});
