import { chmod, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { errorText } from '../base/errors.ts';
import { ConfigError } from './load-config.ts';

const FOLDER_MODE = 0o700;
const SECRET_MODE = 0o600;

/** What a command needs to talk to the running server. */
export interface RunFile {
  readonly pid: number;
  readonly url: string;
  /** The same over TLS, where that is on. */
  readonly https?: string;
  readonly accountSid: string;
  readonly authToken: string;
}

/** Makes the folder (or a temporary one that goes with the program). */
export async function openDataFolder(
  path: string,
  ephemeral: boolean,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  if (ephemeral) {
    const temporary = await mkdtemp(join(tmpdir(), 'tandem-'));
    return { path: temporary, remove: () => rm(temporary, { recursive: true, force: true }) };
  }
  try {
    await makeFolder(resolve(path));
  } catch (error) {
    throw new ConfigError(
      `the data folder ${path} cannot be made: ${errorText(error)}; choose another with --data DIR`,
      {
        cause: error,
      },
    );
  }
  return { path, remove: () => Promise.resolve() };
}

/** Tells commands where the server is; readable by its owner only. */
export async function writeRunFile(folder: string, run: RunFile): Promise<void> {
  await writeWhole(runFilePath(folder), `${JSON.stringify(run, null, 2)}\n`);
}

export async function removeRunFile(folder: string): Promise<void> {
  await rm(runFilePath(folder), { force: true });
}

export function runFilePath(folder: string): string {
  return join(folder, 'run.json');
}

/** Node's recursive mkdir tries for ever where the system says ENOENT below a folder that is there, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = path; !(await isThere(folder)); folder = dirname(folder)) missing.unshift(folder);
  // The last one also when it is there: a file in its place is refused.
  if (missing.length === 0) await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  for (const folder of missing) await mkdir(folder, { mode: FOLDER_MODE });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** A reader sees the old file or the new one, never half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, text, { mode: SECRET_MODE });
  await chmod(temporary, SECRET_MODE);
  await rename(temporary, path);
}
