import type { CompiledQuery } from 'kysely';

/** What may be bound: booleans are 0/1, time is integer milliseconds, JSON is text. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One compiled statement. `@name` never occurs: parameters are positional in the dialect's own form (Kysely compiles them). */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** One statement of a write. The whole write is refused when a statement touches another number of rows than wanted. */
export interface WriteStatement extends Statement {
  /** Exact number of rows that must be affected; left out: any. */
  readonly expectedRows?: number;
}

export interface WriteResult {
  readonly affectedRows: number;
  /** What RETURNING gave. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/**
 * - `duplicate`: a primary key or unique index refused a row.
 * - `unexpected-rows`: a statement touched another number of rows than `expectedRows`.
 * - `full`: the disk (or a quota) is full; nothing was written.
 * - `overloaded`: too many writes wait already; nothing was written.
 * - `too-new`, `locked`: the data folder was written by a newer version, is held by another process.
 * - `unknown`: the connection broke in the commit and the database could not be asked what became of it.
 * - `failed`: anything else; `cause` has the engine's error.
 */
export type StoreErrorCode =
  'duplicate' | 'unexpected-rows' | 'full' | 'overloaded' | 'too-new' | 'locked' | 'closed' | 'unknown' | 'failed';

/** Hard state. A write is data: all its statements or none, and it resolves only after the commit is on disk. */
export interface Store {
  readonly dialect: 'sqlite' | 'postgresql';
  /** Atomic. Rejects with a StoreError; then none of its statements has effect (but for `unknown`). Concurrent writes share a commit. */
  write(statements: readonly WriteStatement[]): Promise<readonly WriteResult[]>;
  /**
   * Sees every write that was acknowledged before the call. Integers come back as numbers. A query that Kysely compiled
   * (`queryBuilder(store).selectFrom(...).compile()`) brings its row type along.
   */
  read<Row = Readonly<Record<string, unknown>>>(statement: Statement | CompiledQuery<Row>): Promise<readonly Row[]>;
  /**
   * Another number whenever a commit may have changed rows of the table: what was made of them is good for as long as it
   * stays. Undefined where other processes may write: then nothing can be kept.
   */
  revision(table: string): number | undefined;
  close(): Promise<void>;
}
