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

/** A property and the column that it lies in. */
interface Place<T> {
  readonly field: string;
  readonly name: string;
  readonly column: Columns<T>[keyof T];
}
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
  readonly #places: readonly Place<T>[];
  /** What `find` has asked before: the conditions are few, and to build a query costs more than to run it. */
  readonly #findSql = new Map<string, string>();

  constructor(store: Store, definition: TableDefinition<T>) {
    this.#store = store;
    this.#definition = definition;
    this.#queries = queryBuilder<Tables>(store);
    const columns = Object.entries(definition.columns) as [string, Columns<T>[keyof T]][];
    this.#places = columns.map(([field, column]) => ({ field, name: columnName(field), column }));
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
    const shape = shapeOf(where);
    const sql = shape === undefined ? undefined : this.#findSql.get(shape);
    const query =
      sql === undefined ? this.#select(where).limit(1).compile() : { sql, parameters: [...where.map(valueOf), 1] };
    if (shape !== undefined) this.#findSql.set(shape, query.sql);
    const [row] = await this.#read(query);
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
    const record: Record<string, unknown> = {};
    for (const { field, name, column } of this.#places) record[field] = column.decode(row[name]);
    return record as unknown as T;
  }
}

/** Names the text of a query: fields and operators, where each value is one parameter; undefined where it is not. */
function shapeOf<T>(where: readonly Condition<T>[]): string | undefined {
  let shape = '';
  for (const [field, operator, value] of where) {
    if (operator === 'in' || value === null) return undefined;
    shape += `${field} ${operator} `;
  }
  return shape;
}

function valueOf<T>(condition: Condition<T>): SqlValue {
  return condition[2] as SqlValue;
}

/** `voiceUrl` lies in `voice_url`. */
function columnName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
