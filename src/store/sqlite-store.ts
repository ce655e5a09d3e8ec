import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { CompiledQuery } from 'kysely';
import { holding, type Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { sqliteStoreError } from './sqlite-error.ts';
import { SqliteStatements } from './sqlite-statements.ts';
import { LOCK_TIMEOUT_MS, openWritingConnection, SqliteWriter, type WriterOptions } from './sqlite-writer.ts';
import { StoreError } from './store-error.ts';
import type { Statement, Store, StoreErrorCode, WriteResult, WriteStatement } from './store.ts';
import { TableRevisions } from './table-revisions.ts';
import { WriteGate, type WriteOutcome } from './write-gate.ts';
import { WritingThread } from './writing-thread.ts';

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
    const writerOptions: WriterOptions = { path, durable: temporaryFolder === undefined, maxPages: options.maxPages };
    // Makes the file, and throws here when it cannot be used.
    const connection = openWritingConnection(writerOptions);
    const reader = new DatabaseSync(path, { readOnly: true, timeout: LOCK_TIMEOUT_MS });
    const writer = temporaryFolder === undefined ? new WritingThread(writerOptions) : new SqliteWriter(connection);
    if (temporaryFolder === undefined) connection.close();
    return new SqliteStore({ writer, reader, path, temporaryFolder, clock: options.clock, logger: options.logger });
  } catch (error) {
    throw sqliteStoreError(error);
  }
}

/** One connection both writes and reads: a commit is a single step of the event loop, so no read sees half of one. */
function openInMemory({ clock, logger }: SqliteStoreOptions): SqliteStore {
  const database = new DatabaseSync(IN_MEMORY);
  return new SqliteStore({
    writer: new SqliteWriter(database),
    reader: database,
    path: IN_MEMORY,
    temporaryFolder: undefined,
    clock,
    logger,
  });
}

interface Parts {
  readonly writer: SqliteWriter | WritingThread;
  readonly reader: DatabaseSync;
  readonly path: string;
  readonly temporaryFolder: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One writing connection behind the gate, in a thread of its own where it waits for a disk, and one for reading, which
 * sees the last commit while a write is open. Reading is synchronous: a read that is slow holds up everything.
 */
export class SqliteStore implements Store {
  readonly dialect = 'sqlite';
  readonly #parts: Parts;
  readonly #reads: SqliteStatements;
  readonly #gate: WriteGate;
  readonly #revisions = new TableRevisions();
  #closed: Promise<void> | undefined;
  /** Why the last commit failed; undefined while commits succeed. */
  #trouble: StoreErrorCode | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#reads = new SqliteStatements(parts.reader);
    this.#gate = new WriteGate((group) => this.#commit(group), parts.clock);
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
    if (this.#parts.path !== IN_MEMORY) reader.close();
    // The last connection that closes writes the log back into the database.
    await writer.close();
    if (this.#parts.temporaryFolder !== undefined)
      rmSync(this.#parts.temporaryFolder, { recursive: true, force: true });
  }

  async #commit(group: readonly (readonly WriteStatement[])[]): Promise<readonly WriteOutcome[]> {
    let outcomes: readonly WriteOutcome[];
    try {
      outcomes = await this.#parts.writer.commit(group);
    } catch (error) {
      this.#noteTrouble(sqliteStoreError(error));
      throw error;
    } finally {
      for (const statements of group) for (const { sql } of statements) this.#revisions.written(sql);
    }
    this.#noteOutcomes(outcomes);
    return outcomes;
  }

  #noteOutcomes(outcomes: readonly WriteOutcome[]): void {
    const wrote = outcomes.some((outcome) => outcome.kind === 'done');
    for (const outcome of outcomes) {
      if (outcome.kind === 'refused' && isTrouble(outcome.error, wrote)) this.#noteTrouble(outcome.error);
    }
    if (wrote) this.#noteSuccess();
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
}

/** A refusal that tells of the disk, not of the write itself: a full one, or any other where the whole group failed. */
function isTrouble({ code }: StoreError, wrote: boolean): boolean {
  return code === 'full' || (!wrote && code !== 'duplicate' && code !== 'unexpected-rows');
}

function removeOldBackups(path: string): void {
  const prefix = `${basename(path)}.before-`;
  const counts = readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a);
  for (const count of counts.slice(MAX_BACKUPS)) rmSync(`${path}.before-${count}`, { force: true });
}
