import { sql } from 'kysely';
import type { Migration } from '../store/migrate.ts';
import { queryBuilder, statement } from '../store/query-builder.ts';
import type { Store, WriteStatement } from '../store/store.ts';

/** What happened, once for each kind and subject: the minutes of a call, the segments of a message. */
export interface LedgerEntry {
  /** Joins all entries and log lines of one piece of work. */
  readonly traceId: string;
  readonly account: string;
  /** What was done: `call`, `message`. */
  readonly kind: string;
  /** To which thing: a call sid. */
  readonly subject: string;
  /** A whole number of units. */
  readonly quantity: number;
  /** `second`, `minute`, `segment`, `byte`. */
  readonly unit: string;
  /** In millionths of the account's currency, whole, for the whole quantity. */
  readonly priceMicros: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface LedgerSum {
  readonly kind: string;
  readonly unit: string;
  readonly entries: number;
  readonly quantity: number;
  readonly priceMicros: number;
}

export interface Reconciliation {
  /** They happened but were not entered. */
  readonly subjectsWithoutEntry: readonly string[];
  /** They were entered but nobody knows of them. */
  readonly entriesWithoutSubject: readonly string[];
}

export interface LedgerPeriod {
  readonly account: string;
  /** Milliseconds since the epoch; `fromMs` belongs to the period, `toMs` does not. */
  readonly fromMs: number;
  readonly toMs: number;
}

interface LedgerEntryTable {
  trace_id: string;
  account: string;
  kind: string;
  subject: string;
  quantity: number;
  unit: string;
  price_micros: number;
  time: number;
}

interface LedgerTables {
  ledger_entry: LedgerEntryTable;
}

export const ledgerMigrations: readonly Migration[] = [
  {
    name: 'ledger/0001-entries',
    up: [
      `create table ledger_entry (
        trace_id text not null,
        account text not null,
        kind text not null,
        subject text not null,
        quantity bigint not null,
        unit text not null,
        price_micros bigint not null,
        time bigint not null,
        primary key (kind, subject)
      )`,
      'create index ledger_entry_account on ledger_entry (account, time)',
      'create index ledger_entry_trace on ledger_entry (trace_id)',
    ],
  },
];

/** Append-only: entries are never changed, a second one for the same kind and subject is refused as `duplicate`. */
export class Ledger {
  readonly #store: Store;
  readonly #qb;

  constructor(store: Store) {
    this.#store = store;
    this.#qb = queryBuilder<LedgerTables>(store);
  }

  /** Goes into the same write as the change that it accounts for. */
  append(entry: LedgerEntry): readonly WriteStatement[] {
    const row: LedgerEntryTable = {
      trace_id: entry.traceId,
      account: entry.account,
      kind: entry.kind,
      subject: entry.subject,
      quantity: entry.quantity,
      unit: entry.unit,
      price_micros: entry.priceMicros,
      time: Math.floor(entry.time),
    };
    return [statement(this.#qb.insertInto('ledger_entry').values(row), { expectedRows: 1 })];
  }

  async entry(kind: string, subject: string): Promise<LedgerEntry | undefined> {
    const query = this.#qb
      .selectFrom('ledger_entry')
      .selectAll()
      .where('kind', '=', kind)
      .where('subject', '=', subject);
    const [row] = await this.#store.read(query.compile());
    return row === undefined ? undefined : entryOf(row);
  }

  /** All entries of one piece of work, in order of time. */
  async trace(traceId: string): Promise<readonly LedgerEntry[]> {
    const query = this.#qb.selectFrom('ledger_entry').selectAll().where('trace_id', '=', traceId);
    return (await this.#store.read(query.orderBy('time').orderBy('kind').orderBy('subject').compile())).map(entryOf);
  }

  /** Sums by kind and unit. */
  async sums(period: LedgerPeriod): Promise<readonly LedgerSum[]> {
    const query = sql<{ kind: string; unit: string; entries: number; quantity: number; price_micros: number }>`
      select kind, unit, count(*) as entries, cast(sum(quantity) as bigint) as quantity,
        cast(sum(price_micros) as bigint) as price_micros
      from ledger_entry
      where account = ${period.account} and time >= ${period.fromMs} and time < ${period.toMs}
      group by kind, unit order by kind, unit`;
    const rows = await this.#store.read(query.compile(this.#qb));
    return rows.map(({ price_micros, ...rest }) => ({ ...rest, priceMicros: price_micros }));
  }

  /** Compares the entries of a kind in a period with the subjects that its domain says happened. */
  async reconcile(kind: string, period: LedgerPeriod, subjects: readonly string[]): Promise<Reconciliation> {
    const query = this.#qb
      .selectFrom('ledger_entry')
      .select('subject')
      .where('kind', '=', kind)
      .where('account', '=', period.account)
      .where('time', '>=', period.fromMs)
      .where('time', '<', period.toMs)
      .orderBy('subject');
    const entered = new Set((await this.#store.read(query.compile())).map((row) => row.subject));
    const happened = new Set(subjects);
    return {
      subjectsWithoutEntry: [...happened].filter((subject) => !entered.has(subject)),
      entriesWithoutSubject: [...entered].filter((subject) => !happened.has(subject)),
    };
  }
}

function entryOf(row: LedgerEntryTable): LedgerEntry {
  const { trace_id: traceId, price_micros: priceMicros, ...rest } = row;
  return { traceId, priceMicros, ...rest };
}
