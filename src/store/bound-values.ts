import { StoreError } from './store-error.ts';
import type { SqlValue } from './store.ts';

/** SQLite's limit of bound values in one statement, the lower one of the two engines. */
export const MAX_BOUND_VALUES = 32_766;

/**
 * Refuses what the engines would take in different ways, or silently wrong: node:sqlite reads an object in the first place
 * as a bag of named parameters and shifts the rest, stores NULL for `undefined` and NaN and 1 for `true`.
 */
export function checkedValues(values: readonly unknown[]): SqlValue[] {
  if (values.length > MAX_BOUND_VALUES) {
    throw new StoreError(
      'failed',
      `${values.length} bound values: want at most ${MAX_BOUND_VALUES}, split the statement`,
    );
  }
  for (const [index, value] of values.entries()) {
    if (!isSqlValue(value)) {
      throw new StoreError(
        'failed',
        `bound value ${index + 1} is ${nameOf(value)}: want null, a finite number, bigint, string or bytes ` +
          '(booleans as 0/1, time as milliseconds, JSON as text)',
      );
    }
  }
  return values as SqlValue[];
}

function isSqlValue(value: unknown): value is SqlValue {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return true;
    case 'number':
      return Number.isFinite(value);
    default:
      return value === null || value instanceof Uint8Array;
  }
}

function nameOf(value: unknown): string {
  if (typeof value === 'object') return `an object (${value?.constructor.name ?? 'null prototype'})`;
  return typeof value === 'number' ? String(value) : typeof value;
}
