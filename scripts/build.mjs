// `npm run build`, also before `npm pack`: emits dist/ from src/ as plain JavaScript, because Node refuses TypeScript below
// node_modules. A clone runs from src/ and needs no build.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { buildPage } from './build-page.mjs';
import { findNode, launch } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';

const SRC = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');
const PAGE = join(DIST, 'page');
/** A build that emits fewer files has lost the source. */
const MIN_FILES = 325;

const CLIENT_MODULE = join(DIST, 'client/browser/client.js');
/** Declarations alone: they are the same as `.d.ts`. */
const CLIENT_TYPES = {
  from: join(SRC, 'client/client-types.ts'),
  to: join(DIST, 'client/client-types.d.ts'),
};

/** Files that are started by name rather than imported: `new URL('./worker.ts', import.meta.url)`. */
const STARTED_BY_NAME = /(new URL\(\s*|import\.meta\.resolve\(\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g;
/** Entries of package.json whose types are shipped, with those that they name. */
const TYPED_ENTRIES = ['scripted-phone/phone.d.ts', 'client/client-types.d.ts'];
const RELATIVE_TYPESCRIPT = /(['"`])\.{1,2}\/[^'"`\s]+\.ts\1/;

await launch(() => {
  setUp({ development: true });
  rmSync(DIST, { recursive: true, force: true });
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(findNode(), [tsc, '-p', join(ROOT, 'tsconfig.build.json')], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`build: tsc failed with exit code ${status}; its messages stand above.`);
  if (!buildPage()) throw new Error('build: the page was not built, vite is missing; run npm ci.');
  copyAssets();
  bundleClient();
  const emitted = filesBelow(DIST).filter((file) => file.endsWith('.js') && !file.startsWith(PAGE));
  emitted.forEach(rewriteNames);
  keepTypes();
  if (emitted.length < MIN_FILES) throw new Error(`build: ${emitted.length} files, wanted at least ${MIN_FILES}.`);
  // stderr: `npm pack --json` owns stdout.
  console.error(`build: ${emitted.length} files in dist/`);
  return 0;
});

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** What the program reads beside its code (schemas, sounds, pages); neither tests nor what only they use. */
function copyAssets() {
  for (const file of filesBelow(SRC)) {
    const path = file.slice(SRC.length + 1);
    const parts = path.split(sep);
    if (
      /(?:\.(?:tsx?|md)|tsconfig\.json)$/.test(path) ||
      ['testkit', 'web'].includes(parts[0]) ||
      parts.includes('test')
    )
      continue;
    mkdirSync(dirname(join(DIST, path)), { recursive: true });
    copyFileSync(file, join(DIST, path));
  }
}

/** What the server gives to pages is one file, made here once, and its types. */
function bundleClient() {
  const args = [join(ROOT, 'scripts/bundle-client.mjs'), CLIENT_MODULE];
  const { status } = spawnSync(findNode(), args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`build: the browser client could not be bundled; its message stands above.`);
  copyFileSync(CLIENT_TYPES.from, CLIENT_TYPES.to);
}

/** The types of the entries, their imports naming the emitted files; all others go. */
function keepTypes() {
  const kept = new Set();
  const keep = (file) => {
    if (kept.has(file)) return;
    kept.add(file);
    const text = readFileSync(file, 'utf8').replace(/(from |import\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2');
    writeFileSync(file, text);
    for (const [, name] of text.matchAll(/(?:from |import\()['"](\.{1,2}\/[^'"]+)\.js['"]/g)) {
      keep(join(dirname(file), `${name}.d.ts`));
    }
  };
  TYPED_ENTRIES.forEach((entry) => keep(join(DIST, entry)));
  for (const file of filesBelow(DIST)) if (file.endsWith('.d.ts') && !kept.has(file)) rmSync(file);
}

/** tsc rewrites imports only: here the endings of files that are started by name. */
function rewriteNames(file) {
  const text = readFileSync(file, 'utf8').replace(STARTED_BY_NAME, '$1$2$3.js$2');
  const left = RELATIVE_TYPESCRIPT.exec(text.replace(/^\s*(?:\/?\*|\/\/).*$/gm, ''));
  if (left !== null) {
    throw new Error(
      `build: ${file} still names ${left[0]}; write new URL('./x.ts', import.meta.url) so that the build can rewrite it.`,
    );
  }
  const target = /(?:new URL|import\.meta\.resolve)\(\s*['"](\.{1,2}\/[^'"]+\.js)['"]/g;
  for (const [, name] of text.matchAll(target)) {
    if (!existsSync(join(dirname(file), name))) throw new Error(`build: ${file} starts ${name}, which dist/ lacks.`);
  }
  writeFileSync(file, text);
}
