import {
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Compilable,
  type CompiledQuery,
  type Dialect,
  type Driver,
} from 'kysely';
import type { SqlValue, Store, WriteStatement } from './store.ts';

/**
 * Builds and compiles queries for the store's dialect; it never runs one. Read with
 * `store.read(qb.selectFrom('calls').selectAll().where('sid', '=', sid).compile())`,
 * write with `store.write([statement(qb.insertInto('calls').values(row), { expectedRows: 1 })])`.
 */
export function queryBuilder<Database>(store: Pick<Store, 'dialect'>): Kysely<Database> {
  return new Kysely<Database>({ dialect: store.dialect === 'sqlite' ? sqliteDialect : postgresqlDialect });
}

/**
 * A built query, or a compiled one (as of Kysely's `sql` template), as one statement of a write. Its values are checked
 * when it is written.
 */
export function statement(
  query: Compilable | CompiledQuery,
  options: { readonly expectedRows?: number } = {},
): WriteStatement {
  const { sql, parameters } = 'compile' in query ? query.compile() : query;
  return { sql, parameters: parameters as readonly SqlValue[], ...options };
}

/** Stands for a value while a statement is compiled; it belongs to no form of query, so Kysely binds it as a value. */
class Blank {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A statement whose text is compiled once, when it is first used, and filled with values each time. `build` gets a blank
 * for each value: it may put it where a value is bound, as often as it likes, and must not look at it.
 */
export function prepared<Values extends Readonly<Record<string, SqlValue>>>(
  build: (blanks: Values) => Compilable | CompiledQuery,
  options: { readonly expectedRows?: number } = {},
): (values: Values) => WriteStatement {
  let compiled: CompiledQuery | undefined;
  return (values) => {
    compiled ??= compileWithBlanks(build);
    const parameters = compiled.parameters.map((one) => (one instanceof Blank ? values[one.name] : one));
    return { sql: compiled.sql, parameters: parameters as SqlValue[], ...options };
  };
}

function compileWithBlanks<Values>(build: (blanks: Values) => Compilable | CompiledQuery): CompiledQuery {
  const blanks = new Proxy({}, { get: (_, name) => new Blank(String(name)) }) as Values;
  const query = build(blanks);
  return 'compile' in query ? query.compile() : query;
}

const sqliteDialect: Dialect = {
  createDriver: () => compileOnlyDriver,
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createAdapter: () => new SqliteAdapter(),
  createIntrospector: (database) => new SqliteIntrospector(database),
};

const postgresqlDialect: Dialect = {
  createDriver: () => compileOnlyDriver,
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createAdapter: () => new PostgresAdapter(),
  createIntrospector: (database) => new PostgresIntrospector(database),
};

// Kysely's own DummyDriver answers `execute()` with no rows; silence would hide the mistake.
const refuse = (): Promise<never> =>
  Promise.reject(new Error('this builder only compiles: pass the query to store.read or store.write'));

const compileOnlyDriver: Driver = {
  init: () => Promise.resolve(),
  acquireConnection: refuse,
  beginTransaction: refuse,
  commitTransaction: refuse,
  rollbackTransaction: refuse,
  releaseConnection: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
};
