import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteStoreError } from './sqlite-error.ts';
import { StoreError } from './store-error.ts';

const LOCK_FILE = 'lock';
const PID_FILE = 'lock.pid';

/** Locks of this process. A database that nobody refers to is closed by the garbage collector, and its lock with it. */
const heldLocks = new Set<DatabaseSync>();

export interface FolderLock {
  /** Safe to call twice. */
  release(): void;
}

/**
 * Takes the data folder for this process (it is made when absent) or throws StoreError `locked` with the holder's pid.
 * The lock is the operating system's lock on a file, taken through SQLite, which has it on every platform: it goes with
 * the process, however that ends.
 */
export function lockDataFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = openExclusively(folder);
  const pidFile = join(folder, PID_FILE);
  let held = true;
  heldLocks.add(database);
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return {
    release() {
      if (!held) return;
      held = false;
      rmSync(pidFile, { force: true });
      heldLocks.delete(database);
      database.close();
    },
  };
}

function openExclusively(folder: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, LOCK_FILE));
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (thrown) {
    database?.close();
    const error = sqliteStoreError(thrown);
    if (error.code !== 'locked') throw error;
    throw new StoreError('locked', `${folder} is in use by ${holder(folder)}: stop it, or name another folder`);
  }
}

function holder(folder: string): string {
  try {
    const pid = /^\d+/.exec(readFileSync(join(folder, PID_FILE), 'utf8'))?.[0];
    return pid === undefined ? 'another process' : `another process (pid ${pid})`;
  } catch {
    return 'another process';
  }
}
