import type { CompiledQuery } from 'kysely';
import pg from 'pg';
import { holding, type Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { checkedValues } from './bound-values.ts';
import { GroupCutOff, settleDoubt, type Fate } from './postgresql-doubt.ts';
import { postgresqlStoreError } from './postgresql-error.ts';
import { commitOnPostgresql } from './postgresql-group.ts';
import { StoreError } from './store-error.ts';
import type { Statement, Store, WriteResult, WriteStatement } from './store.ts';
import { WriteGate, type WriteOutcome } from './write-gate.ts';

const DEFAULT_READERS = 4;
const CONNECT_TIMEOUT_MS = 5_000;
// A statement that takes longer is ended by the server, so that no caller waits for ever.
const STATEMENT_TIMEOUT_MS = 30_000;
// A transaction whose client went without a word holds locks, and its fate is open, until the server ends it.
const SILENT_TRANSACTION_MS = 30_000;

export interface PostgresStoreOptions {
  /** As `postgresql://user:password@host/database`. */
  readonly connectionString: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Connections for reading; writes use one more. */
  readonly readers?: number;
}

/** Opens a store on a PostgreSQL server; StoreError `failed` when it does not answer. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const store = new PostgresStore(options);
  try {
    await store.read({ sql: 'select 1', parameters: [] });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** One writing connection behind the gate, a pool for reading. Other processes may write to the same database. */
export class PostgresStore implements Store {
  readonly dialect = 'postgresql';
  readonly #writers: pg.Pool;
  readonly #readers: pg.Pool;
  readonly #gate: WriteGate;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #closed: Promise<void> | undefined;

  constructor(options: PostgresStoreOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    // The statements of one write travel together: a round trip for each would be most of the time.
    this.#writers = this.#pool(options.connectionString, { max: 1, pipeline: true });
    this.#readers = this.#pool(options.connectionString, { max: options.readers ?? DEFAULT_READERS });
    this.#gate = new WriteGate((group) => this.#commit(group), options.clock);
  }

  write(statements: readonly WriteStatement[]): Promise<readonly WriteResult[]> {
    return this.#gate.submit(statements);
  }

  async read<Row = Readonly<Record<string, unknown>>>(
    statement: Statement | CompiledQuery<Row>,
  ): Promise<readonly Row[]> {
    if (this.#closed !== undefined) throw new StoreError('closed', 'the store is closed: nothing can be read');
    const values = checkedValues(statement.parameters);
    try {
      const result = await holding(this.#clock, () => this.#readers.query(statement.sql, values));
      return result.rows as readonly Row[];
    } catch (error) {
      throw postgresqlStoreError(error);
    }
  }

  revision(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#gate.close();
    await Promise.all([this.#writers.end(), this.#readers.end()]);
  }

  async #commit(group: readonly (readonly WriteStatement[])[]): Promise<readonly WriteOutcome[]> {
    try {
      const client = await this.#writers.connect();
      let broken = true;
      try {
        const outcomes = await commitOnPostgresql(client, group);
        broken = false;
        return outcomes;
      } finally {
        client.release(broken);
      }
    } catch (thrown) {
      if (thrown instanceof GroupCutOff) return await this.#afterCutOff(thrown, group.length);
      const error = postgresqlStoreError(thrown);
      this.#logger.error({ code: error.code, writes: group.length, reason: error.message }, 'store: commit failed');
      return group.map(() => ({ kind: 'refused', error }));
    }
  }

  /** Callers hear what is true: what the database has committed is done, though its answer was lost. */
  async #afterCutOff({ before, doubt, cause }: GroupCutOff, writes: number): Promise<readonly WriteOutcome[]> {
    const fate = doubt === undefined ? 'aborted' : await this.#fateOf(doubt.transaction);
    const reason = postgresqlStoreError(cause).message;
    this.#logger.error({ writes, reason, fate: fate ?? 'unknown' }, 'store: the connection broke in a commit');
    const error =
      fate === 'aborted'
        ? new StoreError('failed', reason, { cause })
        : new StoreError('unknown', `${reason}; the database does not say whether the write was done`, { cause });
    const refused = (): WriteOutcome => ({ kind: 'refused', error });
    const cut = fate === 'committed' ? (doubt?.outcomes ?? []) : (doubt?.outcomes ?? [undefined]).map(refused);
    const known = [...before, ...cut];
    // The writes of the group behind them were not begun, or went with a transaction that certainly was not committed.
    const rest = Array.from({ length: writes - known.length }, (): WriteOutcome =>
      before.length > 0 ? { kind: 'again' } : refused(),
    );
    return [...known, ...rest];
  }

  #fateOf(transaction: number): Promise<'committed' | 'aborted' | undefined> {
    return settleDoubt(transaction, {
      clock: this.#clock,
      mayWait: () => this.#closed === undefined,
      ask: async (id) => {
        const answer = await this.#readers.query('select txid_status($1::bigint) as fate', [id]);
        return ((answer.rows[0] as { fate: string | null } | undefined)?.fate ?? undefined) as Fate;
      },
    });
  }

  #pool(connectionString: string, options: pg.PoolConfig & { readonly pipeline?: boolean }): pg.Pool {
    const pool = new pg.Pool({
      connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: SILENT_TRANSACTION_MS,
      types: integersAsNumbers,
      ...options,
    });
    // A connection that breaks is replaced at the next use; without handlers it would end the process, idle or busy.
    const broke = (error: Error): void => this.#logger.warn({ reason: error.message }, 'store: a connection broke');
    pool.on('error', broke);
    pool.on('connect', (client) => client.on('error', broke));
    return pool;
  }
}

const INT8_OID = 20;

/** `pg` gives int8 as text, since it may not fit a number; here a value beyond 2^53 is an error, as on SQLite. */
const integersAsNumbers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8_OID && format !== 'binary'
      ? wholeNumber
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new StoreError('failed', `the integer ${text} does not fit a number`);
  return value;
}
