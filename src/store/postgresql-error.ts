import { errorText } from '../base/errors.ts';
import { StoreError } from './store-error.ts';

const UNIQUE_VIOLATION = '23505';
const DISK_FULL = '53100';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';

/** What `pg` threw, as a StoreError. The server's detail is left out: it repeats values. */
export function postgresqlStoreError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const options = { cause: thrown };
  switch (sqlState(thrown)) {
    case UNIQUE_VIOLATION:
      return new StoreError('duplicate', `a row with this key exists: ${errorText(thrown)}`, options);
    case DISK_FULL:
      return new StoreError(
        'full',
        "the database server's disk is full: nothing was written, free some space",
        options,
      );
    default:
      return new StoreError('failed', `PostgreSQL: ${errorText(thrown)}`, options);
  }
}

/** True when another session was in the way, and the same write may succeed when it runs again. */
export function isConflict(thrown: unknown): boolean {
  const state = sqlState(thrown);
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED;
}

function sqlState(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}
