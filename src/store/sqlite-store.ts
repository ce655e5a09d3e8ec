import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { CompiledQuery } from 'kysely';
import { holding, type Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { checkExpectedRows } from './expected-rows.ts';
import { sqliteStoreError } from './sqlite-error.ts';
import { SqliteStatements } from './sqlite-statements.ts';
import { StoreError } from './store-error.ts';
import type { Statement, Store, StoreErrorCode, WriteResult, WriteStatement } from './store.ts';
import { TableRevisions } from './table-revisions.ts';
import { WriteGate, type WriteOutcome } from './write-gate.ts';

// The write-ahead log is cut back to this size after a checkpoint.
const MAX_IDLE_LOG_BYTES = 64 * 1024 * 1024;

const MAX_BACKUPS = 3;

const IN_MEMORY = ':memory:';

export interface SqliteStoreOptions {
  /** The database file; its folder is made. Left out: a temporary folder that goes at `close`, not synced to disk. */
  readonly path?: string;
  /** No file at all: the rows go at `close`. */
  readonly inMemory?: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Quota in pages of 4 KiB; beyond it writes are refused with `full`. */
  readonly maxPages?: number;
}

/** Opens the embedded store. Throws StoreError `locked` or `failed` when the file can't be used. */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  if (options.inMemory === true) return openInMemory(options);
  const temporaryFolder = options.path === undefined ? mkdtempSync(join(tmpdir(), 'tandem-store-')) : undefined;
  const path = options.path ?? join(temporaryFolder ?? '', 'store.db');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives its side files the mode of the database.
    closeSync(openSync(path, 'a', 0o600));
    const writer = new DatabaseSync(path);
    writer.exec('PRAGMA journal_mode = WAL');
    writer.exec(`PRAGMA synchronous = ${temporaryFolder === undefined ? 'FULL' : 'OFF'}`);
    writer.exec(`PRAGMA journal_size_limit = ${MAX_IDLE_LOG_BYTES}`);
    if (options.maxPages !== undefined) writer.exec(`PRAGMA max_page_count = ${Math.floor(options.maxPages)}`);
    const reader = new DatabaseSync(path, { readOnly: true });
    return new SqliteStore({ writer, reader, path, temporaryFolder, clock: options.clock, logger: options.logger });
  } catch (error) {
    throw sqliteStoreError(error);
  }
}

/** One connection both writes and reads: a commit is a single step of the event loop, so no read sees half of one. */
function openInMemory({ clock, logger }: SqliteStoreOptions): SqliteStore {
  const database = new DatabaseSync(IN_MEMORY);
  return new SqliteStore({
    writer: database,
    reader: database,
    path: IN_MEMORY,
    temporaryFolder: undefined,
    clock,
    logger,
  });
}

interface Parts {
  readonly writer: DatabaseSync;
  readonly reader: DatabaseSync;
  readonly path: string;
  readonly temporaryFolder: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One writing connection behind the gate, and one for reading, which sees the last commit while a write is open. Both are
 * synchronous: a read that is slow holds up everything.
 */
export class SqliteStore implements Store {
  readonly dialect = 'sqlite';
  readonly #parts: Parts;
  readonly #writes: SqliteStatements;
  readonly #reads: SqliteStatements;
  readonly #gate: WriteGate;
  readonly #revisions = new TableRevisions();
  #closed: Promise<void> | undefined;
  /** Why the last commit failed; undefined while commits succeed. */
  #trouble: StoreErrorCode | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#writes = new SqliteStatements(parts.writer);
    this.#reads = new SqliteStatements(parts.reader);
    this.#gate = new WriteGate((group) => this.#commitAndNote(group), parts.clock);
  }

  write(statements: readonly WriteStatement[]): Promise<readonly WriteResult[]> {
    return this.#gate.submit(statements);
  }

  async read<Row = Readonly<Record<string, unknown>>>(
    statement: Statement | CompiledQuery<Row>,
  ): Promise<readonly Row[]> {
    if (this.#closed !== undefined) throw new StoreError('closed', 'the store is closed: nothing can be read');
    try {
      return this.#reads.run(statement.sql, statement.parameters).rows as readonly Row[];
    } catch (error) {
      throw sqliteStoreError(error);
    }
  }

  revision(table: string): number {
    return this.#revisions.of(table);
  }

  /** Copies the live database into a new file. */
  async backup(path: string): Promise<void> {
    try {
      await holding(this.#parts.clock, () => backup(this.#parts.reader, path));
    } catch (error) {
      throw sqliteStoreError(error);
    }
  }

  /** Copies the database to `<path>.before-<count>`, where count is the number of migrations it has; keeps the newest few. */
  async backUpBeforeMigrating(appliedCount: number): Promise<void> {
    if (this.#parts.temporaryFolder !== undefined || this.#parts.path === IN_MEMORY) return;
    const target = `${this.#parts.path}.before-${appliedCount}`;
    rmSync(target, { force: true });
    await this.backup(target);
    this.#parts.logger.info({ path: target }, 'store: copied before migrating');
    removeOldBackups(this.#parts.path);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#gate.close();
    const { reader, writer } = this.#parts;
    reader.close();
    if (writer !== reader) writer.close();
    if (this.#parts.temporaryFolder !== undefined)
      rmSync(this.#parts.temporaryFolder, { recursive: true, force: true });
  }

  #commitAndNote(group: readonly (readonly WriteStatement[])[]): readonly WriteOutcome[] {
    const outcomes = this.#commit(group);
    for (const statements of group) for (const { sql } of statements) this.#revisions.written(sql);
    return outcomes;
  }

  #commit(group: readonly (readonly WriteStatement[])[]): readonly WriteOutcome[] {
    const { writer } = this.#parts;
    const outcomes: WriteOutcome[] = [];
    try {
      writer.exec('BEGIN IMMEDIATE');
      for (const statements of group) {
        const outcome = this.#runInSavepoint(statements);
        outcomes.push(outcome);
        if (outcome.kind === 'refused' && outcome.error.code === 'full') this.#noteTrouble(outcome.error);
        if (!writer.isTransaction) return rolledBack(outcomes, group.length);
      }
      writer.exec('COMMIT');
      if (outcomes.some((outcome) => outcome.kind === 'done')) this.#noteSuccess();
      return outcomes;
    } catch (thrown) {
      const error = sqliteStoreError(thrown);
      this.#noteTrouble(error);
      if (writer.isTransaction) writer.exec('ROLLBACK');
      return group.map((_, index) => refusal(outcomes[index]) ?? { kind: 'refused', error });
    }
  }

  /** A full disk refuses every write: it is logged once, and once more when writes succeed again. */
  #noteTrouble(error: StoreError): void {
    if (this.#trouble === error.code) return;
    this.#trouble = error.code;
    this.#parts.logger.error({ code: error.code, reason: error.message }, 'store: writes fail');
  }

  #noteSuccess(): void {
    if (this.#trouble === undefined) return;
    this.#parts.logger.info({ was: this.#trouble }, 'store: writes succeed again');
    this.#trouble = undefined;
  }

  #runInSavepoint(statements: readonly WriteStatement[]): WriteOutcome {
    const { writer } = this.#parts;
    writer.exec('SAVEPOINT one_write');
    try {
      const results = statements.map((one) => checkExpectedRows(one, this.#writes.run(one.sql, one.parameters)));
      writer.exec('RELEASE one_write');
      return { kind: 'done', results };
    } catch (thrown) {
      if (writer.isTransaction) writer.exec('ROLLBACK TO one_write; RELEASE one_write');
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

function removeOldBackups(path: string): void {
  const prefix = `${basename(path)}.before-`;
  const counts = readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a);
  for (const count of counts.slice(MAX_BACKUPS)) rmSync(`${path}.before-${count}`, { force: true });
}
