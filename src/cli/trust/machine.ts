import { accessSync, constants } from 'node:fs';
import { chown, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { CliError } from '../cli-error.ts';

/** The system that is changed, and the person whose browsers are meant. */
export interface Machine {
  /** `/`, or the folder of another system's files. */
  readonly root: string;
  /** Of the person, as a path of that system. */
  readonly home: string;
  /** With sudo the browsers are those of whoever called it; nothing in that home becomes root's. */
  readonly owner: { readonly uid?: number; readonly gid?: number };
  /** Is a command installed here? */
  has(command: string): boolean;
  /** The same of the system that is changed: another system's commands are looked for in its files. */
  treeHas(command: string): boolean;
  /** A folder of the person, with those above it. */
  makeFolder(path: string): Promise<void>;
}

const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export async function openMachine(
  environment: Readonly<Record<string, string | undefined>>,
  root = '/',
): Promise<Machine> {
  const person = root === '/' ? await personBehindSudo(environment) : undefined;
  const owner = person === undefined ? {} : { uid: person.uid, gid: person.gid };
  const has = (command: string): boolean => {
    const path = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
    return [...path, ...SYSTEM_FOLDERS].some((folder) => isExecutable(join(folder, command)));
  };
  return {
    root,
    home: person?.home ?? homedir(),
    owner,
    has,
    treeHas: (command) =>
      root === '/' ? has(command) : SYSTEM_FOLDERS.some((folder) => isExecutable(join(root, folder, command))),
    async makeFolder(path) {
      const made = await mkdir(path, { recursive: true, mode: 0o700 });
      if (made === undefined || person === undefined) return;
      for (let each = path; each.length >= made.length; each = dirname(each)) await chown(each, person.uid, person.gid);
    },
  };
}

interface Person {
  readonly home: string;
  readonly uid: number;
  readonly gid: number;
}

async function personBehindSudo(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Person | undefined> {
  const name = environment['SUDO_USER'];
  if (name === undefined || name === 'root' || process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid, , home] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined || home === undefined) {
    throw new CliError(
      `SUDO_USER is ${name}, whom /etc/passwd does not know; run it as that person, or as root without sudo`,
    );
  }
  return { home, uid: Number(uid), gid: Number(gid) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
