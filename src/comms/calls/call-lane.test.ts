import assert from 'node:assert/strict';
import { afterEach, suite, test } from 'node:test';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { MAX_WAIT_MS } from '../../lane/queue.ts';
import { laneMigrations } from '../../lane/queue-tables.ts';
import { Ledger, ledgerMigrations } from '../../ledger/ledger.ts';
import { migrate } from '../../store/migrate.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import type { Store } from '../../store/store.ts';
import type { Account, Call } from '../model.ts';
import { commsMigrations } from '../records/migrations.ts';
import { openRecords, type Records } from '../records/records.ts';
import { openSecrets } from '../records/secrets.ts';
import { CallLane } from './call-lane.ts';
import { newCall } from './new-call.ts';

const START_MS = 1_700_000_000_000;

class Line {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly random = seededRandom(7);
  readonly records: Records;
  readonly ledger: Ledger;
  lane: CallLane;
  account!: Account;
  /** `ms since the start, what, to`. */
  readonly log: string[] = [];

  private constructor(clock: VirtualClock, store: Store) {
    this.clock = clock;
    this.store = store;
    const secrets = openSecrets(new Uint8Array(32), this.random);
    this.records = openRecords({ store, secrets, clock, random: this.random });
    this.ledger = new Ledger(store);
    this.lane = this.newLane();
  }

  static async open(): Promise<Line> {
    const clock = new VirtualClock(START_MS);
    const store = openSqliteStore({ clock, logger: silentLogger });
    await migrate(store, [...commsMigrations, ...laneMigrations, ...ledgerMigrations], { clock });
    const line = new Line(clock, store);
    line.account = await line.records.accounts.create({ friendlyName: 'place' });
    open.push(line);
    return line;
  }

  newLane(): CallLane {
    const { store, records, ledger, clock, random } = this;
    const callsPerSecondFrom = { '+12025550177': 10 };
    return new CallLane({
      store,
      records,
      ledger,
      clock,
      random,
      log: silentLogger,
      callsPerSecond: 1,
      callsPerSecondFrom,
    });
  }

  async start(): Promise<void> {
    const note = (what: string, call: Call): void =>
      void this.log.push(`${Math.round(this.clock.now() - START_MS)} ${what} ${call.to} ${call.stage}`);
    await this.lane.start({
      start: (call) => note('start', call),
      interrupted: async (call) => note('interrupted', call),
      expired: async (call) => note('expired', call),
    });
  }

  call(to: string, from = '+12025550100'): Call {
    return newCall(
      {
        accountSid: this.account.sid,
        to,
        from,
        status: 'queued',
        stage: 'queued',
        direction: 'outbound-api',
        plan: { twiml: '<Response/>' },
      },
      this,
    );
  }
}

const open: Line[] = [];
afterEach(async () => {
  for (const line of open.splice(0)) {
    await line.lane.stop();
    await line.store.close();
  }
});

suite('the lane of calls', () => {
  test('lets one call a second out for an account, in the order in which they came', async () => {
    const line = await Line.open();
    await line.start();
    for (const to of ['1', '2', '3']) await line.lane.enqueue(line.call(to));
    await line.clock.advance(5000);
    assert.deepEqual(line.log, ['0 start 1 dialling', '1000 start 2 dialling', '2000 start 3 dialling']);
  });

  test('has the call as dialling on disk, with its waiting time, before it is started', async () => {
    const line = await Line.open();
    await line.start();
    const calls = [line.call('1'), line.call('2')];
    for (const call of calls) await line.lane.enqueue(call);
    await line.clock.advance(3000);
    const row = await line.lane.find(line.account.sid, calls[1]?.sid as Call['sid']);
    assert.equal(row?.stage, 'dialling');
    assert.equal(row.queueTime, 1000);
  });

  test('gives a From number that has a rate of its own a lane of its own', async () => {
    const line = await Line.open();
    await line.start();
    for (const to of ['1', '2']) await line.lane.enqueue(line.call(to));
    for (const to of ['a', 'b', 'c']) await line.lane.enqueue(line.call(to, '+12025550177'));
    await line.clock.advance(2000);
    const times = Object.fromEntries(line.log.map((entry) => [entry.split(' ')[2], entry.split(' ')[0]]));
    assert.deepEqual(times, { '1': '0', '2': '1000', a: '0', b: '100', c: '200' });
  });

  test('cancels what waits, once, and nothing that was let out', async () => {
    const line = await Line.open();
    const call = line.call('1');
    await line.lane.enqueue(call);
    const canceled = { status: 'canceled', stage: 'ended' } as const;
    assert.equal(await line.lane.cancelQueued(call, canceled), true);
    assert.equal(await line.lane.cancelQueued(call, canceled), false);
    const out = line.call('2');
    await line.lane.enqueue(out);
    await line.start();
    await line.clock.advance(100);
    assert.equal(await line.lane.cancelQueued(out, canceled), false);
    assert.deepEqual(line.log, ['0 start 2 dialling']);
  });

  test('closes a call that a crash cut off between its taking and its start, and never starts it', async () => {
    const line = await Line.open();
    let blocked = true;
    const failing = line.newLane();
    await failing.start({
      // The process dies here: the handler never settles.
      start: () => {
        blocked = false;
        throw new Error('crash');
      },
      interrupted: () => Promise.resolve(),
      expired: () => Promise.resolve(),
    });
    await failing.enqueue(line.call('1'));
    await line.clock.advance(100);
    await failing.stop();
    assert.equal(blocked, false);
    assert.deepEqual(
      (await line.lane.unfinished()).map(({ to, stage }) => [to, stage]),
      [['1', 'dialling']],
    );
    await line.start();
    await line.clock.advance(5000);
    assert.deepEqual(line.log, []);
  });

  test('drops a call that waited a day', async () => {
    const line = await Line.open();
    await line.lane.enqueue(line.call('1'));
    await line.clock.advance(MAX_WAIT_MS + 1000);
    await line.start();
    await line.clock.advance(100);
    assert.equal(line.log.length, 1);
    assert.match(line.log[0] ?? '', /expired 1 queued/);
  });

  test('enters each ended call into the ledger once, with its seconds', async () => {
    const line = await Line.open();
    const call = line.call('1');
    await line.lane.insert(call);
    await line.lane.update(call.sid, { status: 'in-progress', stage: 'live' });
    await line.lane.update(call.sid, { status: 'completed', stage: 'ended', duration: 61 });
    await line.lane.update(call.sid, { stage: 'ended', duration: 99 });
    const period = { account: line.account.sid, fromMs: 0, toMs: START_MS * 2 };
    assert.deepEqual(await line.ledger.sums(period), [
      { kind: 'call', unit: 'second', entries: 1, quantity: 61, priceMicros: 0 },
    ]);
  });

  test('refuses what a day could not carry, as 429', async () => {
    const line = await Line.open();
    const queue = line.newLane();
    await queue.enqueue(line.call('1'));
    await line.store.write([{ sql: 'update lane_key set pending_cost = 86400', parameters: [] }]);
    await assert.rejects(queue.enqueue(line.call('2')), { faultCode: 20_429, httpStatus: 429 });
  });
});
