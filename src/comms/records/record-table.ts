import type { CompiledQuery, ExpressionBuilder, Kysely, SelectQueryBuilder } from 'kysely';
import { queryBuilder, statement } from '../../store/query-builder.ts';
import type { SqlValue, Statement, Store, WriteStatement } from '../../store/store.ts';
import type { Columns } from './columns.ts';
import { KeptRecords } from './kept-records.ts';
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
  /** Found records are kept until the table is written: for what every request asks for and seldom changes. */
  readonly kept?: boolean;
}

/** Texts of statements that are kept. The shapes are those that the code asks for; this only bounds a mistake. */
const MAX_KEPT_TEXTS = 500;

type Row = Record<string, SqlValue>;

/** A property and the column that it lies in. */
interface Place<T> {
  readonly field: keyof T & string;
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
  /** Texts of statements by their shape: the shapes are few, and to build a statement costs more than to run it. */
  readonly #texts = new Map<string, string>();
  readonly #kept: KeptRecords<T> | undefined;

  constructor(store: Store, definition: TableDefinition<T>) {
    this.#store = store;
    this.#definition = definition;
    this.#queries = queryBuilder<Tables>(store);
    const columns = Object.entries(definition.columns) as [keyof T & string, Columns<T>[keyof T]][];
    this.#places = columns.map(([field, column]) => ({ field, name: columnName(field), column }));
    this.#kept = definition.kept === true ? new KeptRecords() : undefined;
  }

  insertStatement(record: T): WriteStatement {
    const parameters: SqlValue[] = [];
    // A property that is left out gets the column's default: another text.
    let shape = 'insert';
    for (const { field, column } of this.#places) {
      if (record[field] === undefined) shape += ` without ${field}`;
      else parameters.push(column.encode(record[field]));
    }
    const sql = this.#text(shape, () =>
      this.#queries.insertInto(this.#definition.name).values(this.#encode(record)).compile(),
    );
    return { sql, parameters, expectedRows: 1 };
  }

  /** Wants exactly one row unless `expectedRows` is `any`. Changes that are undefined are left alone. */
  updateStatement(where: readonly Condition<T>[], changes: Partial<T>, expectedRows: 1 | 'any' = 1): WriteStatement {
    const row = this.#encode(changes);
    const options = expectedRows === 'any' ? {} : { expectedRows };
    const query = (): CompiledQuery =>
      this.#queries
        .updateTable(this.#definition.name)
        .set(row)
        .where((eb) => eb.and(this.#conditions(eb, where)))
        .compile();
    const shape = shapeOf(where);
    if (shape === undefined) return statement(query(), options);
    const sql = this.#text(`update ${Object.keys(row).join()} where ${shape}`, query);
    return { sql, parameters: [...Object.values(row), ...where.map(valueOf)], ...options };
  }

  deleteStatement(where: readonly Condition<T>[], expectedRows: 1 | 'any' = 1): WriteStatement {
    const query = this.#queries.deleteFrom(this.#definition.name).where((eb) => eb.and(this.#conditions(eb, where)));
    return statement(query, expectedRows === 'any' ? {} : { expectedRows });
  }

  async find(where: readonly Condition<T>[]): Promise<T | undefined> {
    const query = (): CompiledQuery<Row> => this.#select(where).limit(1).compile();
    const shape = shapeOf(where);
    if (shape === undefined) return (await this.#read(query()))[0];
    const revision = this.#store.revision(this.#definition.name);
    const kept = revision === undefined ? undefined : this.#kept;
    const name = kept === undefined ? '' : `${shape}${where.map(valueOf).join(' ')}`;
    const known = kept?.get(name, revision);
    if (known !== undefined) return known;
    const [found] = await this.#read({
      sql: this.#text(`find ${shape}`, query),
      parameters: [...where.map(valueOf), 1],
    });
    // What is not there is not kept: strangers could fill the memory with it.
    if (found !== undefined) kept?.keep(name, revision, found);
    return found;
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

  /** In the order of the columns, so that the same fields always make the same text. */
  #encode(record: Partial<T>): Row {
    const row: Row = {};
    for (const { field, name, column } of this.#places) {
      const value = record[field];
      if (value !== undefined) row[name] = column.encode(value);
    }
    return row;
  }

  #text(shape: string, build: () => CompiledQuery<unknown>): string {
    const known = this.#texts.get(shape);
    if (known !== undefined) return known;
    const { sql } = build();
    if (this.#texts.size >= MAX_KEPT_TEXTS) this.#texts.clear();
    this.#texts.set(shape, sql);
    return sql;
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
