// Brings node_modules in line with package-lock.json. `npm start` and `npm test` call it, so a fresh clone needs nothing else.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildPage } from './build-page.mjs';
import { findNode, launch } from './pinned-node.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const LOCK = join(ROOT, 'package-lock.json');
const INSTALLED = join(ROOT, 'node_modules/.package-lock.json');
const STAMP = join(ROOT, 'node_modules/.tandem-set-up');

/**
 * Installs what the lock file lists and builds the page, unless that is there already. `development: false` asks only for what a running
 * server needs, so an `npm ci --omit=dev` is left as it is.
 */
export function setUp({ development }) {
  installListed({ development });
  buildPage();
}

function installListed({ development }) {
  const lockText = readFileSync(LOCK, 'utf8');
  const stamp = `${createHash('sha256').update(lockText).digest('hex')} ${process.platform}-${process.arch}\n`;
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return;
  const lock = JSON.parse(lockText);
  if (!isInstalled(lock, { development: true })) {
    if (!development && isInstalled(lock, { development })) return;
    install();
  }
  assertNodeRuns();
  writeFileSync(STAMP, stamp);
}

/** True when npm's own list of what it put into node_modules has every package at the lock's version. */
function isInstalled(lock, { development }) {
  if (!existsSync(INSTALLED)) return false;
  const { packages: present } = JSON.parse(readFileSync(INSTALLED, 'utf8'));
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || (wanted.dev === true && !development)) return true;
    // npm leaves out optional packages of other platforms; the one that matters, Node, is asserted on its own.
    if (present[path] === undefined) return wanted.optional === true;
    return present[path].version === wanted.version && existsSync(join(ROOT, path, 'package.json'));
  });
}

function install() {
  // All of it goes to stderr: stdout belongs to the command that follows.
  console.error('tandem: installing what package-lock.json lists (first start, or the list changed)');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath?.endsWith('.js')
    ? { command: process.execPath, args: [process.env.npm_execpath, ...args] }
    : { command: 'npm', args };
  const { status, error } = spawnSync(npm.command, npm.args, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && npm.command === 'npm',
  });
  if (status !== 0) {
    throw new Error(
      `"npm ${args.join(' ')}" failed (${error?.message ?? `exit code ${status}`}); its own words stand above. ` +
        'Check the network and the registry (npm config get registry), then try again.',
    );
  }
}

/** A binary that is present may still be for another libc; better told now than as a riddle at each start. */
function assertNodeRuns() {
  const path = findNode();
  const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (!/^v\d+\.\d+\.\d+/.test(stdout ?? '')) {
    throw new Error(`${path} does not run on this machine (${error?.message ?? 'no version came back'}).`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await launch(() => {
    setUp({ development: true });
    return 0;
  });
}
