import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock, type Clock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { migrate } from '../store/migrate.ts';
import { openPostgresStore } from '../store/postgresql-store.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { postgresqlMissing, startPostgresql, type TestPostgresql } from '../testkit/postgresql.ts';
import { claimDue } from './claim.ts';
import { LaneQueue } from './queue.ts';
import { laneMigrations } from './queue-tables.ts';

const KEYS = 40;
const JOBS_PER_KEY = 5;
const WORKERS = 4;
const BATCH = 15;
const STEP_US = 1_000_000;

/** How one worker's time runs: what it takes for now at each of its claims. */
type WorkerTime = (worker: number, round: number) => number;

// The two settings under which one-statement claims go wrong (the worker times differ by more than a step; a backlog
// whose keys stay due after a claim).
const apart: WorkerTime = (worker, round) => 1_000 * STEP_US + round * STEP_US + worker * 1_500_000;
const farAhead: WorkerTime = (_, round) => 5_000 * STEP_US + round * 100 * STEP_US;

/** Everything goes out once, in order, by several workers at once, each with its own connection. */
async function race(stores: readonly Store[], time: WorkerTime): Promise<void> {
  const first = stores[0] as Store;
  const clock: Clock = { ...systemClock, now: () => 0 };
  const queue = new LaneQueue({ store: first, clock, lane: 'race', defaultRatePerSecond: 1 });
  const jobs = Array.from({ length: KEYS * JOBS_PER_KEY }, (_, n) => ({
    id: `job-${n}`,
    key: `key-${n % KEYS}`,
    payload: '',
  }));
  await Promise.all(jobs.map((job) => queue.enqueue(job)));
  const claimed: { id: string; key: string }[] = [];
  const work = async (store: Store, worker: number): Promise<void> => {
    for (let round = 0; claimed.length < jobs.length && round < 500; round += 1) {
      const token = `${worker}-${round}`;
      const nowUs = time(worker, round);
      claimed.push(...(await claimDue({ store, lane: 'race', owner: `w${worker}`, token, nowUs, batch: BATCH })));
    }
  };
  await Promise.all(stores.map(work));
  assert.equal(new Set(claimed.map((job) => job.id)).size, jobs.length, 'every job was claimed');
  assert.equal(claimed.length, jobs.length, 'no job was claimed twice');
  const keys = await first.read({
    sql: 'select key from lane_key where pending <> 0 or pending_cost <> 0',
    parameters: [],
  });
  assert.deepEqual(keys, []);
  const steps = await first.read<{ key: string; next_at_us: number }>({
    sql: 'select key, next_at_us from lane_key',
    parameters: [],
  });
  for (const step of steps) assert.ok(step.next_at_us >= JOBS_PER_KEY * STEP_US);
}

describe('a claim on SQLite', () => {
  it('takes each job once and in order', async () => {
    const store = openSqliteStore({ clock: systemClock, logger: silentLogger });
    await migrate(store, laneMigrations, { clock: systemClock });
    await race([store, store], apart);
    await store.close();
  });
});

describe('the beat of a key', () => {
  /** Claims twenty jobs at 30 a second, each `lateUs` after its turn; how far the next turn is behind its time then. */
  async function behindUs(lateUs: number): Promise<number> {
    const store = openSqliteStore({ clock: systemClock, logger: silentLogger });
    await migrate(store, laneMigrations, { clock: systemClock });
    const clock: Clock = { ...systemClock, now: () => 0 };
    const queue = new LaneQueue({ store, clock, lane: 'beat', defaultRatePerSecond: 30 });
    for (const id of Array.from({ length: 20 }, (_, n) => `job-${n}`))
      await queue.enqueue({ id, key: 'k', payload: '' });
    const nextUs = async (): Promise<number> => {
      const [row] = await store.read<{ next_at_us: number }>({
        sql: 'select next_at_us from lane_key',
        parameters: [],
      });
      return row?.next_at_us ?? 0;
    };
    const startUs = 1_000 * STEP_US;
    let nowUs = startUs;
    for (let turn = 0; turn < 20; turn += 1) {
      const jobs = await claimDue({ store, lane: 'beat', owner: 'w', token: `${turn}`, nowUs, batch: BATCH });
      assert.equal(jobs.length, 1);
      nowUs = (await nextUs()) + lateUs;
    }
    const behind = (await nextUs()) - (startUs + 20 * Math.round(1_000_000 / 30));
    await store.close();
    return behind;
  }

  it('is kept although every turn comes late', async () => {
    assert.equal(await behindUs(90_000), 0);
  });

  it('starts anew behind a pause', async () => {
    assert.equal(await behindUs(150_000), 19 * 150_000);
  });
});

describe('a claim on PostgreSQL', { skip: postgresqlMissing() ?? false }, () => {
  let server: TestPostgresql;
  before(async () => (server = await startPostgresql()));
  after(() => server.stop());

  const withWorkers = async (test: (stores: readonly Store[]) => Promise<void>): Promise<void> => {
    const connectionString = await server.createDatabase();
    const open = () => openPostgresStore({ connectionString, clock: systemClock, logger: silentLogger, readers: 1 });
    const stores = await Promise.all(Array.from({ length: WORKERS }, open));
    await migrate(stores[0] as Store, laneMigrations, { clock: systemClock });
    await test(stores);
    await Promise.all(stores.map((store) => store.close()));
  };

  for (const [title, time] of [
    ['when worker clocks are apart', apart],
    ['when a backlog stays due', farAhead],
  ] as const) {
    it(`takes each job once ${title}`, async () => {
      for (let run = 0; run < 5; run += 1) await withWorkers((stores) => race(stores, time));
    });
  }

  it('a lane that is full refuses, and one whose job was cancelled moves on', () =>
    withWorkers(async ([store]) => {
      assert.ok(store);
      const clock = systemClock;
      const queue = new LaneQueue({ store, clock, lane: 'l', defaultRatePerSecond: 2 / (24 * 3_600) });
      for (const id of ['a', 'b']) await queue.enqueue({ id, key: 'k', payload: '' });
      await assert.rejects(queue.enqueue({ id: 'c', key: 'k', payload: '' }), { code: 'full' });
      assert.equal((await queue.position('b'))?.ahead, 1);
      assert.equal(await queue.cancel('a'), true);
      await queue.setRate('k', 1);
      const nowUs = Math.floor(clock.now() * 1_000);
      const jobs = await claimDue({ store, lane: 'l', owner: 'w', token: 't', nowUs, batch: 10 });
      assert.deepEqual(
        jobs.map((job) => job.id),
        ['b'],
      );
    }));
});
