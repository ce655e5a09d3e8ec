import type { SqlValue } from '../../store/store.ts';
import type { Secrets } from './secrets.ts';

/** How one property of a record lies in its column. */
export interface Column<V> {
  encode(value: V): SqlValue;
  decode(stored: unknown): V;
}

/** One column for every property; the column's name is the property's in snake_case. */
export type Columns<T> = { readonly [K in keyof T]-?: Column<T[K]> };

/** Text as it is; `V` is what the writer of the row guarantees (a sid, a closed set). */
export function text<V extends string | null>(): Column<V> {
  return { encode: (value) => value, decode: (stored) => stored as V };
}

export function integer<V extends number | null>(): Column<V> {
  return { encode: (value) => value, decode: (stored) => stored as V };
}

/** Milliseconds since the epoch; clocks have fractions, columns have not. */
export function time<V extends number | null>(): Column<V> {
  return {
    encode: (value) => (value === null ? null : Math.floor(value)),
    decode: (stored) => stored as V,
  };
}

export const flag: Column<boolean> = {
  encode: (value) => (value ? 1 : 0),
  decode: (stored) => stored === 1,
};

export function json<V>(): Column<V> {
  return { encode: (value) => JSON.stringify(value), decode: (stored) => JSON.parse(stored as string) as V };
}

export function jsonOrNull<V>(): Column<V | null> {
  return {
    encode: (value) => (value === null ? null : JSON.stringify(value)),
    decode: (stored) => (stored === null ? null : (JSON.parse(stored as string) as V)),
  };
}

/** Text that is unreadable at rest. */
export function sealed(secrets: Secrets, purpose: string): Column<string> {
  return {
    encode: (value) => secrets.seal(value, purpose),
    decode: (stored) => secrets.open(stored as string, purpose),
  };
}

export function sealedOrNull(secrets: Secrets, purpose: string): Column<string | null> {
  return {
    encode: (value) => (value === null ? null : secrets.seal(value, purpose)),
    decode: (stored) => (stored === null ? null : secrets.open(stored as string, purpose)),
  };
}
