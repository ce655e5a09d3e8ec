import { DatabaseSync } from 'node:sqlite';
import { checkExpectedRows } from './expected-rows.ts';
import { sqliteStoreError } from './sqlite-error.ts';
import { SqliteStatements } from './sqlite-statements.ts';
import type { WriteStatement } from './store.ts';
import type { WriteOutcome } from './write-gate.ts';

/** The write-ahead log is cut back to this size after a checkpoint. */
const MAX_IDLE_LOG_BYTES = 64 * 1024 * 1024;

/**
 * How long a connection waits for another one: the two of this process while the first of them recovers the log after a
 * crash, and an operator's own look into the file. Without it either would be refused at once as `locked`.
 */
export const LOCK_TIMEOUT_MS = 5_000;

export interface WriterOptions {
  readonly path: string;
  /** False only for what goes with the process. */
  readonly durable: boolean;
  /** Quota in pages of 4 KiB. */
  readonly maxPages?: number | undefined;
}

/** The connection that writes to a database file. */
export function openWritingConnection({ path, durable, maxPages }: WriterOptions): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS });
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'OFF'}`);
  database.exec(`PRAGMA journal_size_limit = ${MAX_IDLE_LOG_BYTES}`);
  if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${Math.floor(maxPages)}`);
  return database;
}

/** Commits groups of writes, each write all or nothing. Synchronous: it holds its thread until the disk has answered. */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #statements: SqliteStatements;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = new SqliteStatements(database);
  }

  commit(group: readonly (readonly WriteStatement[])[]): readonly WriteOutcome[] {
    const database = this.#database;
    const outcomes: WriteOutcome[] = [];
    try {
      database.exec('BEGIN IMMEDIATE');
      for (const statements of group) {
        outcomes.push(this.#runInSavepoint(statements));
        if (!database.isTransaction) return rolledBack(outcomes, group.length);
      }
      database.exec('COMMIT');
      return outcomes;
    } catch (thrown) {
      const error = sqliteStoreError(thrown);
      if (database.isTransaction) database.exec('ROLLBACK');
      return group.map((_, index) => refusal(outcomes[index]) ?? { kind: 'refused', error });
    }
  }

  close(): void {
    this.#database.close();
  }

  #runInSavepoint(statements: readonly WriteStatement[]): WriteOutcome {
    const database = this.#database;
    database.exec('SAVEPOINT one_write');
    try {
      const results = statements.map((one) => checkExpectedRows(one, this.#statements.run(one.sql, one.parameters)));
      database.exec('RELEASE one_write');
      return { kind: 'done', results };
    } catch (thrown) {
      if (database.isTransaction) database.exec('ROLLBACK TO one_write; RELEASE one_write');
      return { kind: 'refused', error: sqliteStoreError(thrown) };
    }
  }
}

/** A full disk makes SQLite roll back everything: the others run again without the write that met it. */
function rolledBack(outcomes: readonly WriteOutcome[], groupSize: number): readonly WriteOutcome[] {
  return Array.from({ length: groupSize }, (_, index) => refusal(outcomes[index]) ?? { kind: 'again' });
}

function refusal(outcome: WriteOutcome | undefined): WriteOutcome | undefined {
  return outcome?.kind === 'refused' ? outcome : undefined;
}
