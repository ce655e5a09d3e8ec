import type { ExpressionBuilder, Kysely, SelectQueryBuilder } from 'kysely';
import { queryBuilder, statement } from '../../store/query-builder.ts';
import type { SqlValue, Statement, Store, WriteStatement } from '../../store/store.ts';
import type { Columns } from './columns.ts';
import type { PageRequest, RecordPage } from './page.ts';

/** `is` one of a set, or compared. `=` with null asks for the absence of a value. */
export type Condition<T> =
  | readonly [field: keyof T & string, operator: '=' | '<>' | '<' | '<=' | '>' | '>=', value: SqlValue]
  | readonly [field: keyof T & string, operator: 'in', values: readonly SqlValue[]];

interface Dated {
  readonly dateCreated: number;
}

export interface TableDefinition<T extends Dated> {
  readonly name: string;
  readonly columns: Columns<T>;
  /** The property that orders records of the same millisecond; with `dateCreated` unique within a list. */
  readonly key: keyof T & string;
}

type Row = Record<string, SqlValue>;
type Tables = Record<string, Row>;
type Builder = ExpressionBuilder<Tables, string>;

/**
 * One table of one kind of record: statements for bigger writes, and reading. Lists are newest first, in keyset order
 * (date_created, key): records that arrive meanwhile stand before every later page, so none is repeated or left out.
 */
export class RecordTable<T extends Dated> {
  readonly #store: Store;
  readonly #definition: TableDefinition<T>;
  readonly #queries: Kysely<Tables>;

  constructor(store: Store, definition: TableDefinition<T>) {
    this.#store = store;
    this.#definition = definition;
    this.#queries = queryBuilder<Tables>(store);
  }

  insertStatement(record: T): WriteStatement {
    return statement(this.#queries.insertInto(this.#definition.name).values(this.#encode(record)), { expectedRows: 1 });
  }

  /** Wants exactly one row unless `expectedRows` is `any`. Changes that are undefined are left alone. */
  updateStatement(where: readonly Condition<T>[], changes: Partial<T>, expectedRows: 1 | 'any' = 1): WriteStatement {
    const query = this.#queries
      .updateTable(this.#definition.name)
      .set(this.#encode(changes))
      .where((eb) => eb.and(this.#conditions(eb, where)));
    return statement(query, expectedRows === 'any' ? {} : { expectedRows });
  }

  deleteStatement(where: readonly Condition<T>[], expectedRows: 1 | 'any' = 1): WriteStatement {
    const query = this.#queries.deleteFrom(this.#definition.name).where((eb) => eb.and(this.#conditions(eb, where)));
    return statement(query, expectedRows === 'any' ? {} : { expectedRows });
  }

  async find(where: readonly Condition<T>[]): Promise<T | undefined> {
    const [row] = await this.#read(this.#select(where).limit(1).compile());
    return row;
  }

  /** Everything that matches, oldest first; for sets that are small by nature. */
  all(where: readonly Condition<T>[]): Promise<readonly T[]> {
    const { key } = this.#definition;
    return this.#read(this.#select(where).orderBy('date_created').orderBy(columnName(key)).compile());
  }

  async list(where: readonly Condition<T>[], page: PageRequest): Promise<RecordPage<T>> {
    const { size, position, offset = 0 } = page;
    const backwards = position?.side === 'before';
    const direction = backwards ? 'asc' : 'desc';
    const keyColumn = columnName(this.#definition.key);
    let query = this.#select(where)
      .orderBy('date_created', direction)
      .orderBy(keyColumn, direction)
      // One more than wanted tells whether the list goes on.
      .limit(size + 1);
    if (position !== undefined) {
      query = query.where((eb) =>
        eb(eb.refTuple('date_created', keyColumn), backwards ? '>' : '<', eb.tuple(position.dateCreated, position.key)),
      );
    }
    if (offset > 0) query = query.offset(offset);
    const found = await this.#read(query.compile());
    const records = found.slice(0, size);
    const more = found.length > size;
    if (backwards) return { records: records.reverse(), hasNext: true, hasPrevious: more };
    return { records, hasNext: more, hasPrevious: position !== undefined || offset > 0 };
  }

  #select(where: readonly Condition<T>[]): SelectQueryBuilder<Tables, string, Row> {
    return this.#queries
      .selectFrom(this.#definition.name)
      .selectAll()
      .where((eb) => eb.and(this.#conditions(eb, where)));
  }

  #conditions(eb: Builder, where: readonly Condition<T>[]): ReturnType<Builder>[] {
    return where.map(([field, operator, value]) => {
      const column = columnName(field);
      if (operator === 'in') return eb(column, 'in', value);
      if (value === null) return eb(column, operator === '=' ? 'is' : 'is not', null);
      return eb(column, operator, value);
    });
  }

  async #read(query: Statement | { readonly sql: string; readonly parameters: readonly unknown[] }): Promise<T[]> {
    const rows = await this.#store.read<Row>({ sql: query.sql, parameters: query.parameters as readonly SqlValue[] });
    return rows.map((row) => this.#decode(row));
  }

  #encode(record: Partial<T>): Row {
    const { columns } = this.#definition;
    const fields = (Object.keys(record) as (keyof T & string)[]).filter((field) => record[field] !== undefined);
    return Object.fromEntries(
      fields.map((field) => [columnName(field), columns[field].encode(record[field] as T[typeof field])]),
    );
  }

  #decode(row: Row): T {
    const columns = Object.entries(this.#definition.columns) as [string, Columns<T>[keyof T]][];
    return Object.fromEntries(
      columns.map(([field, column]) => [field, column.decode(row[columnName(field)])]),
    ) as unknown as T;
  }
}

/** `voiceUrl` lies in `voice_url`. */
function columnName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
