import { holding, type Clock } from '../base/clock.ts';
import { StoreError } from './store-error.ts';
import type { SqlValue, Store } from './store.ts';

/** One step forward. Steps are never edited after they were released: a further step mends them. */
export interface Migration {
  /** `<domain>/<number>-<words>`, as `comms/0001-accounts`; unique. */
  readonly name: string;
  /** Statements without values, in the dialect or in the part that both share (`text`, `bigint`, `bytea`, indexes). */
  readonly up: readonly string[] | Readonly<Record<Store['dialect'], readonly string[]>>;
}

/** A store that can copy itself before its tables change. */
export type MigratableStore = Store & { backUpBeforeMigrating?(appliedCount: number): Promise<void> };

export interface MigrateOptions {
  readonly clock: Clock;
}

const TABLE = 'tandem_migration';
const NAME_FORM = /^[a-z][a-z-]*\/\d{4}-[a-z0-9-]+$/;

/**
 * Brings the store's tables up to the given list: every domain's steps in one call, in the order of the list, each step in
 * one write together with the note that it was done. Returns the names that were applied now.
 * Throws StoreError `too-new` when the store has a step that is not in the list: a newer version wrote it.
 */
export async function migrate(
  store: MigratableStore,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<readonly string[]> {
  checkNames(migrations);
  const applied = await appliedNames(store, options.clock);
  checkApplied(applied, migrations);
  const pending = migrations.filter((migration) => !applied.has(migration.name));
  if (pending.length > 0 && applied.size > 0) await store.backUpBeforeMigrating?.(applied.size);
  for (const migration of pending) await apply(store, migration, options.clock);
  return pending.map((migration) => migration.name);
}

async function apply(store: Store, migration: Migration, clock: Clock): Promise<void> {
  const texts = 'sqlite' in migration.up ? migration.up[store.dialect] : migration.up;
  const note = {
    sql: `insert into ${TABLE} (name, applied_at) values (${placeholders(store.dialect)})`,
    parameters: [migration.name, Math.floor(clock.now())] satisfies SqlValue[],
    expectedRows: 1,
  };
  // The note comes first: a second process that migrates at the same moment stops there and changes nothing.
  await store.write([note, ...texts.map((sql) => ({ sql, parameters: [] }))]);
}

function placeholders(dialect: Store['dialect']): string {
  return dialect === 'sqlite' ? '?, ?' : '$1, $2';
}

async function appliedNames(store: Store, clock: Clock): Promise<ReadonlySet<string>> {
  const sql = `create table if not exists ${TABLE} (name text primary key, applied_at bigint not null)`;
  await store.write([{ sql, parameters: [] }]);
  const names = { sql: `select name from ${TABLE}`, parameters: [] };
  const rows = await holding(clock, () => store.read<{ name: string }>(names));
  return new Set(rows.map((row) => row.name));
}

function checkNames(migrations: readonly Migration[]): void {
  const seen = new Set<string>();
  for (const { name } of migrations) {
    if (!NAME_FORM.test(name))
      throw new StoreError('failed', `migration "${name}": want a name like comms/0001-accounts`);
    if (seen.has(name)) throw new StoreError('failed', `migration "${name}" is listed twice`);
    seen.add(name);
  }
}

function checkApplied(applied: ReadonlySet<string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...applied].filter((name) => !known.has(name)).sort();
  if (unknown.length === 0) return;
  throw new StoreError(
    'too-new',
    `the data was written by a newer version (it has ${unknown.join(', ')}, which this version does not know): ` +
      'run that version, or use another data folder',
  );
}
