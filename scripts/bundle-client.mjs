// Writes the browser client as one module to the file that is named; run by the build with the pinned Node.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleModule } from '../src/api/bundle-module.ts';
import { ROOT } from './set-up.mjs';

const [, , target] = process.argv;
const text = bundleModule(pathToFileURL(join(ROOT, 'src/client/browser/client.ts')));
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, text);
