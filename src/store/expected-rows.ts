import { quoted } from '../base/parsed.ts';
import { StoreError } from './store-error.ts';
import type { WriteResult, WriteStatement } from './store.ts';

/** Throws `unexpected-rows` when the statement touched another number of rows than it wants. */
export function checkExpectedRows(statement: WriteStatement, result: WriteResult): WriteResult {
  const { expectedRows } = statement;
  if (expectedRows !== undefined && expectedRows !== result.affectedRows) {
    const text = `${result.affectedRows} rows affected, want ${expectedRows}: ${quoted(statement.sql)}`;
    throw new StoreError('unexpected-rows', text);
  }
  return result;
}
