import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../base/random.ts';
import { MASTER_KEY_BYTES, SecretsError } from './secrets.ts';

const FILE_NAME = 'master.key';
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * Reads the master key of a data folder, and makes it (file 0600, on disk before this resolves) where there is none.
 * Throws SecretsError `bad-master-key` when the file is not 64 hexadecimal digits or others may read it.
 */
export async function loadMasterKey(folder: string, random: Random): Promise<Uint8Array> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE_NAME);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (text === undefined) return createKey(path, random);
  await refuseReadableByOthers(path);
  return parseKey(text, path);
}

/** 64 hexadecimal digits, from a file or the environment; `origin` names it in the error. */
export function parseKey(text: string, origin: string): Uint8Array {
  const digits = text.trim();
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
    throw new SecretsError(
      'bad-master-key',
      `${origin}: ${digits.length} characters, want ${MASTER_KEY_BYTES * 2} hexadecimal digits`,
    );
  }
  return Uint8Array.fromHex(digits);
}

async function createKey(path: string, random: Random): Promise<Uint8Array> {
  const key = random.bytes(MASTER_KEY_BYTES);
  // `wx`: a second process that starts at the same moment fails instead of sealing with a key that is overwritten.
  const file = await open(path, 'wx', OWNER_ONLY);
  try {
    await file.writeFile(`${key.toHex()}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return key;
}

async function refuseReadableByOthers(path: string): Promise<void> {
  // Windows has no such bits: its folder permissions guard the file.
  if (process.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & OTHERS) === 0) return;
  throw new SecretsError('bad-master-key', `${path} may be read by others: run chmod 600 on it`);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
