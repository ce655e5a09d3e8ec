import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { migrate } from '../store/migrate.ts';
import { openPostgresStore } from '../store/postgresql-store.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { postgresqlMissing, startPostgresql, type TestPostgresql } from '../testkit/postgresql.ts';
import { Ledger, ledgerMigrations, type LedgerEntry } from './ledger.ts';

const entry = (subject: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  traceId: 'trace-1',
  account: 'AC1',
  kind: 'call',
  subject,
  quantity: 60,
  unit: 'second',
  priceMicros: 13_000,
  time: 1_000,
  ...more,
});
const period = { account: 'AC1', fromMs: 0, toMs: 10_000 };

function ledgerPromises(open: () => Promise<Store>): void {
  const promise = (title: string, test: (ledger: Ledger, store: Store) => Promise<void>): void => {
    it(title, async () => {
      const store = await open();
      await migrate(store, ledgerMigrations, { clock: systemClock });
      await test(new Ledger(store), store);
      await store.close();
    });
  };

  promise('gives an entry back as it was written, alone and by its trace', async (ledger, store) => {
    await store.write([...ledger.append(entry('CA1')), ...ledger.append(entry('CA2', { traceId: 'trace-2' }))]);
    assert.deepEqual(await ledger.entry('call', 'CA1'), entry('CA1'));
    assert.deepEqual(await ledger.trace('trace-1'), [entry('CA1')]);
    assert.equal(await ledger.entry('message', 'CA1'), undefined);
  });

  promise('charges a subject once, and refuses the whole write that charges it again', async (ledger, store) => {
    await store.write(ledger.append(entry('CA1')));
    const again = store.write([...ledger.append(entry('CA2')), ...ledger.append(entry('CA1', { priceMicros: 1 }))]);
    await assert.rejects(again, { code: 'duplicate' });
    assert.equal(await ledger.entry('call', 'CA2'), undefined);
    await store.write(ledger.append(entry('CA1', { kind: 'recording' })));
  });

  promise('sums by kind and unit within account and period', async (ledger, store) => {
    const entries = [
      entry('CA1'),
      entry('CA2', { quantity: 5, priceMicros: 2, time: 9_999.7 }),
      entry('CA3', { time: 10_000 }),
      entry('CA4', { account: 'AC2' }),
      entry('SM1', { kind: 'message', unit: 'segment', quantity: 2, priceMicros: 7 }),
    ];
    await store.write(entries.flatMap((one) => ledger.append(one)));
    assert.deepEqual(await ledger.sums(period), [
      { kind: 'call', unit: 'second', entries: 2, quantity: 65, priceMicros: 13_002 },
      { kind: 'message', unit: 'segment', entries: 1, quantity: 2, priceMicros: 7 },
    ]);
    assert.deepEqual(await ledger.sums({ ...period, account: 'AC9' }), []);
  });

  promise('names subjects without an entry and entries without a subject', async (ledger, store) => {
    await store.write([...ledger.append(entry('CA1')), ...ledger.append(entry('CA2'))]);
    assert.deepEqual(await ledger.reconcile('call', period, ['CA2', 'CA3']), {
      subjectsWithoutEntry: ['CA3'],
      entriesWithoutSubject: ['CA1'],
    });
  });
}

describe('Ledger on SQLite', () => {
  ledgerPromises(async () => openSqliteStore({ clock: systemClock, logger: silentLogger }));
});

describe('Ledger on PostgreSQL', { skip: postgresqlMissing() ?? false }, () => {
  let server: TestPostgresql;
  before(async () => (server = await startPostgresql()));
  after(() => server.stop());
  ledgerPromises(async () =>
    openPostgresStore({ connectionString: await server.createDatabase(), clock: systemClock, logger: silentLogger }),
  );
});
