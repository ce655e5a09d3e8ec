// The real programs that tests talk to. With CI=true the missing ones are installed and a missing one is a failure;
// elsewhere nothing is installed and each missing one is named, because its tests are skipped.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './set-up.mjs';

const APT_TIME_BOUND_MS = 240_000;

const peers = JSON.parse(readFileSync(join(ROOT, 'src/testkit/peers.json'), 'utf8'));

/** Returns true when the tests may run: outside CI always, in CI when every peer is there. */
export function preparePeers({ ci }) {
  if (ci && missing().length > 0) install([...new Set(missing().flatMap((peer) => peer.debianPackage.split(' ')))]);
  for (const { name, debianPackage } of missing()) {
    console.log(`${ci ? 'missing' : 'skip'}: ${name} is not installed (Debian: ${debianPackage})`);
  }
  return !ci || missing().length === 0;
}

/** Path of a peer's executable, or undefined where it is not installed. */
export function findPeer(wanted) {
  const { executable, folders } = peers.find(({ name }) => name === wanted);
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...path, ...folders.flatMap(expand)].map((folder) => join(folder, executable)).find(isExecutable);
}

function missing() {
  return peers.filter(({ name }) => findPeer(name) === undefined);
}

function expand(folder) {
  const [before, after] = folder.split('/*/');
  if (after === undefined) return [folder];
  return existsSync(before) ? readdirSync(before).map((version) => join(before, version, after)) : [];
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function install(packages) {
  if (process.getuid?.() !== 0) {
    console.log(`peers: only root may install ${packages.join(' ')}`);
    return;
  }
  console.log(`peers: installing ${packages.join(' ')}`);
  const apt = (...args) => {
    const { status, error } = spawnSync('apt-get', ['-q', '-o', 'Acquire::Retries=3', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: APT_TIME_BOUND_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0) console.log(`peers: apt-get ${args[0]} failed (${error?.message ?? `exit code ${status}`})`);
  };
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...packages);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = preparePeers({ ci: process.env.CI === 'true' }) ? 0 : 1;
}
