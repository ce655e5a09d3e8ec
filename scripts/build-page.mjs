// `npm run build:page`, and part of every set-up: builds the first page (src/web) into dist/page, unless what is there was
// built from the same sources.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { findNode, launch } from './pinned-node.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PAGE = join(ROOT, 'dist/page');
const STAMP = join(PAGE, '.built-from');
const VITE = join(ROOT, 'node_modules/vite/bin/vite.js');
/** What the page may be made of: scripts/layout.mjs says what `web` imports. */
const SOURCES = ['base', 'wire', 'grant', 'directory', 'client', 'web'].map((name) => join(ROOT, 'src', name));
const BUILT_BY = ['vite.config.mjs', 'scripts/build-page.mjs', 'package-lock.json'].map((name) => join(ROOT, name));
const PART_OF_PAGE = /\.(?:tsx?|css|html|svg)$/;
const COMPRESSED = /\.(?:js|css|svg)$/;

/** Gives false where the packages that build it are not installed (`npm ci --omit=dev`). */
export function buildPage() {
  const stamp = stampOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return true;
  if (!existsSync(VITE)) return false;
  console.error('tandem: building the page (first start, or its sources changed)');
  // Others may start from this clone meanwhile: the page is there whole, or as it was.
  const fresh = `${PAGE}.${process.pid}`;
  mkdirSync(dirname(PAGE), { recursive: true });
  const { status } = spawnSync(
    findNode(),
    [VITE, 'build', '--config', join(ROOT, 'vite.config.mjs'), '--logLevel', 'error'],
    {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, NODE_ENV: 'production', TANDEM_PAGE_OUT: fresh },
    },
  );
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(`the page was not built: vite ended with exit code ${status}; its messages stand above.`);
  }
  compress(join(fresh, 'assets'));
  writeFileSync(join(fresh, '.built-from'), stamp);
  rmSync(PAGE, { recursive: true, force: true });
  renameSync(fresh, PAGE);
  return true;
}

function compress(folder) {
  for (const name of readdirSync(folder).filter((each) => COMPRESSED.test(each))) {
    const path = join(folder, name);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

function stampOfSources() {
  const hash = createHash('sha256');
  for (const path of [...SOURCES.flatMap(pagePartsBelow), ...BUILT_BY]) {
    hash
      .update(`${path.slice(ROOT.length)}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return `${hash.digest('hex')}\n`;
}

function pagePartsBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && PART_OF_PAGE.test(entry.name) && !/\.(?:test|fixture)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await launch(() => {
    if (!buildPage()) throw new Error('vite is not installed here; run npm ci.');
    return 0;
  });
}
