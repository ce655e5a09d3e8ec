import { errorText } from '../base/errors.ts';
import { StoreError } from './store-error.ts';

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_UNIQUE = 2067;
const SQLITE_CONSTRAINT_ROWID = 2579;

/** What node:sqlite threw, as a StoreError. */
export function sqliteStoreError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const options = { cause: thrown };
  switch (resultCode(thrown)) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_ROWID:
      return new StoreError('duplicate', `a row with this key exists: ${errorText(thrown)}`, options);
    case SQLITE_FULL:
      return new StoreError('full', 'the disk is full: nothing was written, free some space', options);
    case SQLITE_BUSY:
      return new StoreError(
        'locked',
        'another process holds the database file: end it, or use another folder',
        options,
      );
    default:
      return new StoreError('failed', `SQLite: ${errorText(thrown)}`, options);
  }
}

function resultCode(thrown: unknown): unknown {
  return thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined;
}
