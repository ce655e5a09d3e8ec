import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RunningProcess } from './child-process.ts';
import { openNameLog, type NameLog } from './name-log.ts';
import { peer } from './peers.ts';
import { atEnd, type Scope } from './scope.ts';
import { temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);

/** `ip netns exec` puts the files of this folder over those of /etc. */
const NAMESPACE_FILES = '/etc/netns';
const INSIDE = 'TANDEM_TESTS_OWN_NAMES';
/** A network card that leads nowhere: a browser that has none but loopback takes itself for unplugged. */
export const OWN_ADDRESS = '10.20.30.40';
const CARD = { address: `${OWN_ADDRESS}/24`, gateway: '10.20.30.1' } as const;
const NAME_SERVER = { address: '127.0.0.1', port: 53 } as const;
/**
 * What installing an authority changes, with an empty folder over each. The system's own authorities are left out: no
 * test asks their hosts, and collecting all of them takes seconds.
 */
const CHANGED_FOLDERS = [
  '/etc/ssl/certs',
  '/usr/local/share/ca-certificates',
  '/etc/ca-certificates/update.d',
] as const;
const LIST_OF_AUTHORITIES = '/etc/ca-certificates.conf';

/** Options of a test that runs in a network of its own: skipped for everybody but root. */
export function ownNamesOptions(): { readonly skip?: string } {
  if (process.getuid?.() !== 0) return { skip: 'network namespaces: only root may make them' };
  return peer('ip').options;
}

/**
 * Runs a program in a network with nothing but itself, a hosts file and a name server of its own. Rejects, with what it printed, unless it ends with code 0.
 */
export async function runWithOwnNames(scope: Scope, program: string, args: readonly string[] = []): Promise<void> {
  const ip = peer('ip').path;
  const name = `td${process.pid.toString(36)}${randomInt(36 ** 4).toString(36)}`;
  const files = join(NAMESPACE_FILES, name);
  atEnd(scope, async () => {
    await run(ip, ['netns', 'del', name]).catch(() => undefined);
    rmSync(files, { recursive: true, force: true });
  });
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'hosts'), '127.0.0.1 localhost\n::1 localhost\n');
  writeFileSync(join(files, 'resolv.conf'), `nameserver ${NAME_SERVER.address}\noptions timeout:1 attempts:1\n`);
  await run(ip, ['netns', 'add', name]);
  const inside = (...words: readonly string[]): Promise<unknown> => run(ip, ['-n', name, ...words]);
  await inside('link', 'set', 'lo', 'up');
  await inside('link', 'add', 'card', 'type', 'veth', 'peer', 'name', 'plug');
  await inside('addr', 'add', CARD.address, 'dev', 'card');
  for (const device of ['card', 'plug']) await inside('link', 'set', device, 'up');
  await inside('route', 'add', 'default', 'via', CARD.gateway);
  const running = RunningProcess.start(ip, ['netns', 'exec', name, process.execPath, program, ...args], {
    // A program that holds tests runs them, also when a test has started it.
    environment: { [INSIDE]: name, NODE_TEST_CONTEXT: undefined, HOME: temporaryFolder(scope, 'home') },
  });
  atEnd(scope, async () => void (await running.end('SIGKILL')));
  const { code } = await running.ended;
  if (code !== 0) throw new Error(`in a network of its own it ended with code ${code}:\n${running.output()}`);
}

/** True in a program that `runWithOwnNames` has started. */
export function hasOwnNames(): boolean {
  return process.env[INSIDE] !== undefined;
}

/** To be called there once: starts the name server, and covers what installing an authority changes. */
export async function settleInside(scope: Scope): Promise<NameLog> {
  if (!hasOwnNames()) throw new Error('this changes /etc: want runWithOwnNames around it');
  for (const folder of CHANGED_FOLDERS) await cover(scope, folder, temporaryFolder(scope, 'empty'));
  const list = join(temporaryFolder(scope, 'list'), 'none');
  writeFileSync(list, '');
  await cover(scope, LIST_OF_AUTHORITIES, list);
  return openNameLog(scope, NAME_SERVER);
}

async function cover(scope: Scope, path: string, by: string): Promise<void> {
  if (!existsSync(path)) return;
  await run('mount', ['--bind', by, path]);
  atEnd(scope, async () => void (await run('umount', [path])));
}
