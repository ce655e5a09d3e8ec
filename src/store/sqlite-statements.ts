import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { checkedValues } from './bound-values.ts';
import type { WriteResult } from './store.ts';

/** Prepared statements kept by one connection; the least recently used one goes first. */
export const MAX_CACHED_STATEMENTS = 300;

interface Prepared {
  readonly statement: StatementSync;
  readonly givesRows: boolean;
}

/** Runs statements on one node:sqlite connection, with a bounded cache of prepared ones. Synchronous. */
export class SqliteStatements {
  readonly #database: DatabaseSync;
  readonly #cache = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  run(sql: string, parameters: readonly unknown[]): WriteResult {
    const { statement, givesRows } = this.#prepared(sql);
    const values = checkedValues(parameters);
    if (!givesRows) return { affectedRows: Number(statement.run(...values).changes), rows: [] };
    // Rows have a null prototype, which no deep comparison takes for an ordinary object.
    const rows = statement.all(...values).map((row) => ({ ...row }));
    return { affectedRows: rows.length, rows };
  }

  #prepared(sql: string): Prepared {
    const known = this.#cache.get(sql);
    if (known !== undefined) {
      this.#cache.delete(sql);
      this.#cache.set(sql, known);
      return known;
    }
    const statement = this.#database.prepare(sql);
    const prepared = { statement, givesRows: statement.columns().length > 0 };
    this.#cache.set(sql, prepared);
    if (this.#cache.size > MAX_CACHED_STATEMENTS) {
      const oldest = this.#cache.keys().next();
      if (!oldest.done) this.#cache.delete(oldest.value);
    }
    return prepared;
  }
}
