const WRITES_ONE_TABLE = /^\s*(?:insert into|update|delete from)\s+"?([a-z_0-9]+)"?[\s(]/i;

/** Texts whose table is remembered; there are as many as the code has statements. */
const MAX_TEXTS = 1000;

/**
 * How often the rows of each table may have changed. No table has triggers or cascades: a statement changes the table that
 * it names first. What does not name one at once (a schema change, a `with`) counts as a change of all.
 */
export class TableRevisions {
  readonly #tableOf = new Map<string, string | undefined>();
  readonly #ofTable = new Map<string, number>();
  #ofAll = 0;

  of(table: string): number {
    return this.#ofAll + (this.#ofTable.get(table) ?? 0);
  }

  written(sql: string): void {
    const table = this.#table(sql);
    if (table === undefined) this.#ofAll += 1;
    else this.#ofTable.set(table, (this.#ofTable.get(table) ?? 0) + 1);
  }

  #table(sql: string): string | undefined {
    if (this.#tableOf.has(sql)) return this.#tableOf.get(sql);
    const table = WRITES_ONE_TABLE.exec(sql)?.[1]?.toLowerCase();
    if (this.#tableOf.size >= MAX_TEXTS) this.#tableOf.clear();
    this.#tableOf.set(sql, table);
    return table;
  }
}
