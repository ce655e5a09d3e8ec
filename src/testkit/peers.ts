import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import peers from './peers.json' with { type: 'json' };

/** A real program that tests talk to. `peers.json` says how Debian calls it and where it may lie beside the PATH. */
export type PeerName =
  | 'baresip'
  | 'sipp'
  | 'kamailio'
  | 'chromium'
  | 'espeak-ng'
  | 'flite'
  | 'sox'
  | 'postgres'
  | 'initdb'
  | 'pgbench'
  | 'wrk'
  | 'ip'
  | 'iptables'
  | 'strace'
  | 'certutil'
  | 'turnserver'
  | 'gcc';

/**
 * A peer on this machine. `path` is its executable. `options` goes to node:test as it is: it skips the test, and names
 * the reason, where the peer is missing.
 */
export interface Peer {
  readonly path: string;
  readonly options: { readonly skip?: string };
}

/**
 * Finds a peer: `const baresip = peer('baresip'); test('rings', baresip.options, ...)`. With CI=true a missing peer is
 * an Error instead of a skip, so that a green run there has really met every one of them.
 */
export function peer(name: PeerName): Peer {
  const entry = peers.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new Error(`peer "${name}": want one that src/testkit/peers.json lists`);
  const path = findExecutable(entry.executable, entry.folders);
  if (path !== undefined) return { path, options: {} };
  const reason = `${name} is not installed (Debian: apt-get install ${entry.debianPackage})`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  return { path: '', options: { skip: reason } };
}

/** The options of a test that needs several peers: skipped for the first that is missing. */
export function everyPeer(...names: readonly PeerName[]): Peer['options'] {
  return names.map((name) => peer(name).options).find((options) => options.skip !== undefined) ?? {};
}

function findExecutable(executable: string, folders: readonly string[]): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...path, ...folders.flatMap(expand)].map((folder) => join(folder, executable)).find(isExecutable);
}

// A star stands for the folders of all versions, the newest first.
function expand(folder: string): readonly string[] {
  const [before, after] = folder.split('/*/');
  if (before === undefined || after === undefined) return [folder];
  try {
    const versions = readdirSync(before).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    return versions.map((version) => join(before, version, after));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
