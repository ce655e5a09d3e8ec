import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from './machine.ts';
import type { Step } from './step.ts';

const run = promisify(execFile);
/** One name for the authority of whatever place this machine uses: a new one takes the place of the old. */
const NICKNAME = 'Tandem (this place)';
/** A database that was fed by hand may hold several under the name. */
const MAX_SAME_NAME = 16;
/** Collecting every authority of a system takes seconds, and minutes on a small machine that is busy. */
const COMMAND_TIMEOUT_MS = 300_000;
const READABLE_MODE = 0o644;

const SYSTEM_STORES = [
  { folder: '/usr/local/share/ca-certificates', file: 'tandem-place.crt', update: ['update-ca-certificates'] },
  { folder: '/etc/pki/ca-trust/source/anchors', file: 'tandem-place.pem', update: ['update-ca-trust', 'extract'] },
] as const;

/** The store of the system, which curl, Python's ssl, OpenSSL and others read. */
export function systemStoreSteps(machine: Machine, authority: string | undefined): readonly Step[] {
  const store = SYSTEM_STORES.find(({ folder }) => existsSync(dirname(join(machine.root, folder))));
  if (store === undefined || !machine.treeHas(store.update[0])) {
    return [
      { kind: 'note', text: 'this system has no update-ca-certificates and no update-ca-trust: nothing is done there' },
    ];
  }
  const path = join(machine.root, store.folder, store.file);
  const work = async (): Promise<boolean> => {
    const before = await readFile(path, 'utf8').catch(() => undefined);
    if (before === authority) return false;
    if (authority === undefined) await rm(path);
    else {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, authority);
      // Whatever the umask of who runs this: certificates are for everybody.
      await chmod(path, READABLE_MODE);
    }
    const [command, ...args] = store.update;
    if (machine.root === '/') await run(command, args, { timeout: COMMAND_TIMEOUT_MS });
    return true;
  };
  const after = machine.root === '/' ? `, then ${store.update.join(' ')}` : '';
  return [
    { kind: 'work', text: `${authority === undefined ? 'remove' : 'write'} ${path}${after}`, run: work },
    ...(machine.root === '/'
      ? []
      : [{ kind: 'note' as const, text: `${store.update.join(' ')} is left to whoever starts that system` }]),
  ];
}

/** The databases of Chromium, Chrome and Firefox, which read no other store on Linux. */
export async function browserStoreSteps(machine: Machine, authority: string | undefined): Promise<readonly Step[]> {
  const databases = await browserDatabases(machine);
  if (!machine.has('certutil')) {
    const text =
      'certutil is not installed (Debian: libnss3-tools): Chromium, Chrome and Firefox do not trust this place';
    return [{ kind: 'note', text }];
  }
  return databases.map((folder) => ({
    kind: 'work',
    text: `${authority === undefined ? 'remove the authority from' : 'add the authority to'} ${folder}`,
    run: () => changeDatabase({ machine, folder, authority }),
  }));
}

/** Those that exist; where there is none, the one that a browser makes first. */
async function browserDatabases({ root, home }: Machine): Promise<readonly string[]> {
  const at = join(root, home);
  const firefox = join(at, '.mozilla/firefox');
  const profiles = (await readdir(firefox).catch(() => [])).map((name) => join(firefox, name));
  const first = join(at, '.pki/nssdb');
  const shared = [first, join(at, '.local/share/pki/nssdb')];
  const found = [...shared, ...profiles].filter((folder) => existsSync(join(folder, 'cert9.db')));
  return shared.some((folder) => found.includes(folder)) ? found : [first, ...found];
}

interface DatabaseChange {
  readonly machine: Machine;
  readonly folder: string;
  readonly authority: string | undefined;
}

async function changeDatabase({ machine, folder, authority }: DatabaseChange): Promise<boolean> {
  const certutil = async (args: readonly string[], input?: string): Promise<string> => {
    const running = run('certutil', ['-d', `sql:${folder}`, ...args], {
      timeout: COMMAND_TIMEOUT_MS,
      ...machine.owner,
    });
    running.child.stdin?.end(input);
    return (await running).stdout;
  };
  const kept = (): Promise<string | undefined> =>
    certutil(['-L', '-n', NICKNAME, '-a']).then(
      (pem) => pem,
      () => undefined,
    );
  const before = existsSync(join(folder, 'cert9.db')) ? await kept() : undefined;
  if (before === undefined && authority === undefined) return false;
  if (before !== undefined && authority !== undefined && sameCertificate(before, authority)) return false;
  if (!existsSync(join(folder, 'cert9.db'))) {
    await machine.makeFolder(folder);
    await certutil(['-N', '--empty-password']);
  }
  for (let count = 0; count < MAX_SAME_NAME && (await kept()) !== undefined; count += 1) {
    await certutil(['-D', '-n', NICKNAME]);
  }
  // Trusted to name servers, and nothing else.
  if (authority !== undefined) await certutil(['-A', '-n', NICKNAME, '-t', 'C,,'], authority);
  return true;
}

function sameCertificate(one: string, other: string): boolean {
  const plain = (pem: string): string => pem.replace(/\s/g, '');
  return plain(one) === plain(other);
}
