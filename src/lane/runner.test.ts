import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../base/deferred.ts';
import { silentLogger } from '../base/logger.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { migrate } from '../store/migrate.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Store, WriteStatement } from '../store/store.ts';
import type { LaneJob } from './claim.ts';
import { LaneQueue } from './queue.ts';
import { laneMigrations } from './queue-tables.ts';
import { LaneRunner, type LaneRunnerOptions } from './runner.ts';

const START_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

interface World {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly queue: LaneQueue;
  readonly runner: (options?: Partial<LaneRunnerOptions>) => LaneRunner;
  /** What was handled: id and time since the start. */
  readonly handled: { id: string; atMs: number }[];
  readonly told: string[];
}

async function inWorld(test: (world: World) => Promise<void>, ratePerSecond = 1): Promise<void> {
  const clock = new VirtualClock(START_MS);
  const store = openSqliteStore({ clock, logger: silentLogger });
  await migrate(store, laneMigrations, { clock });
  await store.write([{ sql: 'create table call (sid text primary key, status text)', parameters: [] }]);
  const queue = new LaneQueue({ store, clock, lane: 'call', defaultRatePerSecond: ratePerSecond });
  const handled: World['handled'] = [];
  const told: string[] = [];
  const runners: LaneRunner[] = [];
  const runner = (options: Partial<LaneRunnerOptions> = {}): LaneRunner => {
    const one = new LaneRunner({
      queue,
      clock,
      random: seededRandom(runners.length),
      logger: silentLogger,
      takenStatements: () => [],
      handle: async (job) => void handled.push({ id: job.id, atMs: clock.now() - START_MS }),
      interrupted: async (job) => void told.push(`interrupted ${job.id}`),
      dropped: async (job, reason) => void told.push(`${reason} ${job.id}`),
      ...options,
    });
    runners.push(one);
    return one;
  };
  try {
    await test({ clock, store, queue, runner, handled, told });
  } finally {
    for (const one of runners) await one.stop();
    await store.close();
  }
}

const names = (count: number, prefix = 'j'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(4, '0')}`);

const setStatus = (sid: string, from: string, to: string): WriteStatement => ({
  sql: 'update call set status = ? where sid = ? and status = ?',
  parameters: [to, sid, from],
  expectedRows: 1,
});
const newCall = (sid: string): WriteStatement => ({ sql: "insert into call values (?, 'queued')", parameters: [sid] });

describe('LaneRunner', () => {
  it('lets 1,000 jobs out at exactly 1.00 per second, first in first out', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      const ids = names(1_000);
      await Promise.all(ids.map((id) => queue.enqueue({ id, key: 'AC1', payload: '' })));
      await runner().start();
      await clock.advance(999_000);
      assert.deepEqual(
        handled,
        ids.map((id, n) => ({ id, atMs: n * 1_000 })),
      );
    }));

  it('keeps odd rates exact over time', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      await Promise.all(names(61).map((id) => queue.enqueue({ id, key: 'AC1', payload: '' })));
      await runner().start();
      await clock.advance(20_001);
      assert.equal(handled.length, 61);
      assert.ok(Math.abs((handled.at(-1)?.atMs ?? 0) - 20_000) < 1);
    }, 3));

  it('sends no burst after a pause', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      await runner().start();
      await queue.enqueue({ id: 'first', key: 'AC1', payload: '' });
      await clock.advance(60_000);
      for (const id of names(5)) await queue.enqueue({ id, key: 'AC1', payload: '' });
      await clock.advance(10_000);
      assert.deepEqual(
        handled.map((job) => job.atMs),
        [0, 60_000, 61_000, 62_000, 63_000, 64_000],
      );
    }));

  it('keys do not wait for each other', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      for (const key of ['AC1', 'AC2', 'AC3']) {
        for (const n of [0, 1]) await queue.enqueue({ id: `${key}-${n}`, key, payload: '' });
      }
      await runner().start();
      await clock.advance(0);
      assert.deepEqual(handled.map((job) => job.id).sort(), ['AC1-0', 'AC2-0', 'AC3-0']);
      await clock.advance(1_000);
      assert.equal(handled.length, 6);
    }));

  it('serves more due keys than one claim takes', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      for (const key of names(25, 'AC')) await queue.enqueue({ id: `of-${key}`, key, payload: '' });
      await runner({ batch: 4 }).start();
      await clock.advance(0);
      assert.equal(handled.length, 25);
    }));

  it('a job of cost 3 takes three turns', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      await queue.enqueue({ id: 'long', key: 'AC1', payload: '', cost: 3 });
      await queue.enqueue({ id: 'next', key: 'AC1', payload: '' });
      await runner().start();
      await clock.advance(2_999);
      assert.equal(handled.length, 1);
      await clock.advance(1);
      assert.deepEqual(handled.at(-1), { id: 'next', atMs: 3_000 });
    }));

  it('hands over payload, key, cost and time of enqueueing', () =>
    inWorld(async ({ clock, queue, runner }) => {
      const seen: LaneJob[] = [];
      await runner({ handle: async (job) => void seen.push(job) }).start();
      await queue.enqueue({ id: 'a', key: 'AC1', payload: '{"x":1}', cost: 2 });
      await clock.advance(0);
      assert.deepEqual(seen, [{ id: 'a', key: 'AC1', payload: '{"x":1}', cost: 2, enqueuedAt: START_MS }]);
    }));

  it("has the owner's statements on disk before the handler acts", () =>
    inWorld(async ({ clock, store, queue, runner }) => {
      const seen: unknown[] = [];
      const read = { sql: 'select status from call', parameters: [] };
      await runner({
        takenStatements: (job) => [setStatus(job.id, 'queued', 'dialling')],
        handle: async () => void seen.push(await store.read(read)),
      }).start();
      await queue.enqueue({ id: 'CA1', key: 'AC1', payload: '' }, [newCall('CA1')]);
      await clock.advance(0);
      assert.deepEqual(seen, [[{ status: 'dialling' }]]);
    }));

  it("drops a job whose owner's statements are refused at its turn, and goes on", () =>
    inWorld(async ({ clock, queue, runner, handled, told }) => {
      await queue.enqueue({ id: 'gone', key: 'AC1', payload: '' });
      await queue.enqueue({ id: 'CA1', key: 'AC1', payload: '' }, [newCall('CA1')]);
      await runner({ takenStatements: (job) => [setStatus(job.id, 'queued', 'dialling')] }).start();
      await clock.advance(5_000);
      assert.deepEqual(told, ['refused gone']);
      assert.deepEqual(
        handled.map((job) => job.id),
        ['CA1'],
      );
    }));

  it('a write that was done while its answer was lost hands the job over in the same run, once', () =>
    inWorld(async ({ clock, store, runner, handled, told }) => {
      let losses = 0;
      let begun = false;
      const lossy: Store = Object.assign(Object.create(store) as Store, {
        write: async (statements: readonly WriteStatement[]) => {
          const results = await store.write(statements);
          // The claim of the lane, and the taking of the job.
          if (
            begun &&
            losses < 2 &&
            statements.some(({ sql }) => /"?state"? = ('claimed'|\?)/.test(sql) && /update/.test(sql))
          ) {
            losses += 1;
            throw new StoreError('unknown', 'the connection broke');
          }
          return results;
        },
        read: store.read.bind(store),
      });
      const queue = new LaneQueue({ store: lossy, clock, lane: 'call', defaultRatePerSecond: 1 });
      await queue.enqueue({ id: 'CA1', key: 'AC1', payload: '' }, [newCall('CA1')]);
      await runner({ queue, takenStatements: (job) => [setStatus(job.id, 'queued', 'dialling')] }).start();
      begun = true;
      queue.changed();
      await clock.advance(5_000);
      assert.equal(losses, 2);
      assert.deepEqual(
        handled.map((job) => job.id),
        ['CA1'],
      );
      assert.deepEqual(told, []);
      assert.deepEqual(await store.read({ sql: 'select id from lane_job', parameters: [] }), []);
    }));

  it('a handler that fails is not called again and holds up nobody', () =>
    inWorld(async ({ clock, queue, runner }) => {
      const seen: string[] = [];
      for (const id of ['a', 'b']) await queue.enqueue({ id, key: 'AC1', payload: '' });
      await runner({
        handle: async (job) => {
          seen.push(job.id);
          throw new Error('no');
        },
      }).start();
      await clock.advance(10_000);
      assert.deepEqual(seen, ['a', 'b']);
    }));

  it('after a restart what was queued goes out once, and what was taken is told and never repeated', () =>
    inWorld(async ({ clock, store, queue, runner, handled, told }) => {
      for (const id of ['a', 'b', 'c']) await queue.enqueue({ id, key: 'AC1', payload: '' });
      const never = deferred<void>();
      const first = runner({ handle: () => never.promise });
      await first.start();
      await clock.advance(0);
      // A crash between claim and take: nothing left the process.
      const claimed = "update lane_job set state = 'claimed', owner = 'main', claim = 'x' where id = 'b'";
      await store.write([
        { sql: claimed, parameters: [] },
        { sql: 'update lane_key set pending = pending - 1, pending_cost = pending_cost - 1', parameters: [] },
      ]);
      const second = runner();
      const stopped = first.stop();
      await second.start();
      await clock.advance(10_000);
      never.resolve();
      await stopped;
      assert.deepEqual(told, ['interrupted a']);
      assert.deepEqual(
        handled.map((job) => job.id),
        ['b', 'c'],
      );
      assert.equal(await queue.depth('AC1'), 0);
    }));

  it("does not touch another worker's jobs at start", () =>
    inWorld(async ({ clock, queue, runner, told }) => {
      await queue.enqueue({ id: 'a', key: 'AC1', payload: '' });
      const open = deferred<void>();
      await runner({ owner: 'one', handle: () => open.promise }).start();
      await clock.advance(0);
      await runner({ owner: 'two' }).start();
      await clock.advance(1_000);
      assert.deepEqual(told, []);
      open.resolve();
    }));

  it('drops what waited longer than a day, and tells it', () =>
    inWorld(async ({ clock, store, queue, runner, handled, told }) => {
      await queue.enqueue({ id: 'old', key: 'AC1', payload: '' });
      await clock.advance(24 * HOUR_MS - 1_000);
      await queue.enqueue({ id: 'young', key: 'AC1', payload: '' });
      await clock.advance(1_000);
      await runner().start();
      await clock.advance(0);
      assert.deepEqual(told, ['expired old']);
      assert.deepEqual(
        handled.map((job) => job.id),
        ['young'],
      );
      assert.deepEqual(await store.read({ sql: 'select id from lane_job', parameters: [] }), []);
    }));

  it('drops a job at the moment when its day is over, when its lane became slow', () =>
    inWorld(async ({ clock, queue, runner, handled, told }) => {
      await queue.setRate('AC1', 1 / 3_600);
      await runner().start();
      for (const id of ['a', 'b', 'c']) await queue.enqueue({ id, key: 'AC1', payload: '' });
      await queue.setRate('AC1', 1 / (30 * 3_600));
      await clock.advance(24 * HOUR_MS - 1);
      assert.deepEqual(handled, [
        { id: 'a', atMs: 0 },
        { id: 'b', atMs: HOUR_MS },
      ]);
      assert.deepEqual(told, []);
      await clock.advance(1);
      assert.deepEqual(told, ['expired c']);
    }));

  it('stops letting jobs out when stopped, and keeps them', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      for (const id of names(5)) await queue.enqueue({ id, key: 'AC1', payload: '' });
      const first = runner();
      await first.start();
      await clock.advance(1_000);
      await first.stop();
      await first.stop();
      await clock.advance(10_000);
      assert.equal(handled.length, 2);
      assert.equal(await queue.depth('AC1'), 3);
    }));
});

describe('LaneQueue', () => {
  it("writes the job and the caller's row together or not at all", () =>
    inWorld(async ({ store, queue }) => {
      await queue.enqueue({ id: 'CA1', key: 'AC1', payload: '' }, [newCall('CA1')]);
      await assert.rejects(queue.enqueue({ id: 'CA2', key: 'AC1', payload: '' }, [newCall('CA1')]), {
        code: 'duplicate',
      });
      await assert.rejects(queue.enqueue({ id: 'CA1', key: 'AC1', payload: '' }, [newCall('CA3')]), {
        code: 'duplicate',
      });
      assert.equal(await queue.depth('AC1'), 1);
      assert.deepEqual(await store.read({ sql: 'select sid from call', parameters: [] }), [{ sid: 'CA1' }]);
    }));

  it('refuses with `full` beyond a day of work, and takes again when there is room', () =>
    inWorld(async ({ clock, store, queue, runner }) => {
      await queue.setRate('AC1', 3 / (24 * 3_600));
      for (const id of ['a', 'b', 'c']) await queue.enqueue({ id, key: 'AC1', payload: '' });
      const refused = queue.enqueue({ id: 'd', key: 'AC1', payload: '' }, [newCall('d')]);
      await assert.rejects(refused, { code: 'full', message: /3 jobs wait in lane call, 24 h of work/ });
      assert.deepEqual(await store.read({ sql: 'select sid from call', parameters: [] }), []);
      await queue.enqueue({ id: 'e', key: 'AC2', payload: '' });
      await runner().start();
      await clock.advance(0);
      await queue.enqueue({ id: 'd', key: 'AC1', payload: '' });
    }));

  it("passes the refusal of the caller's own statements on", () =>
    inWorld(async ({ queue }) => {
      const refused = queue.enqueue({ id: 'a', key: 'AC1', payload: '' }, [setStatus('nobody', 'x', 'y')]);
      await assert.rejects(refused, { code: 'unexpected-rows' });
      assert.equal(await queue.depth('AC1'), 0);
    }));

  it('a cancelled job does not go out, its own row changes with it, and the others move up', () =>
    inWorld(async ({ clock, store, queue, runner, handled }) => {
      for (const id of ['a', 'b', 'c']) await queue.enqueue({ id, key: 'AC1', payload: '' }, [newCall(id)]);
      assert.equal(await queue.cancel('b', [setStatus('b', 'queued', 'canceled')]), true);
      assert.equal(await queue.cancel('b'), false);
      assert.equal(await queue.cancel('never-there'), false);
      assert.equal(await queue.depth('AC1'), 2);
      await runner().start();
      await clock.advance(1_000);
      assert.deepEqual(handled, [
        { id: 'a', atMs: 0 },
        { id: 'c', atMs: 1_000 },
      ]);
      assert.equal(await queue.cancel('c'), false);
      const rows = await store.read({ sql: "select sid from call where status = 'canceled'", parameters: [] });
      assert.deepEqual(rows, [{ sid: 'b' }]);
    }));

  it('says how many are ahead and when a job starts', () =>
    inWorld(async ({ clock, queue, runner }) => {
      for (const id of names(4)) await queue.enqueue({ id, key: 'AC1', payload: '' });
      await runner().start();
      await clock.advance(0);
      assert.equal(await queue.position('j0000'), undefined);
      assert.deepEqual(await queue.position('j0001'), { ahead: 0, startsAtMs: START_MS + 1_000 });
      assert.deepEqual(await queue.position('j0003'), { ahead: 2, startsAtMs: START_MS + 3_000 });
    }));

  it('a rate can be changed for one key, at once', () =>
    inWorld(async ({ clock, queue, runner, handled }) => {
      for (const id of names(5)) await queue.enqueue({ id, key: 'AC1', payload: '' });
      for (const id of names(2, 'k')) await queue.enqueue({ id, key: 'AC2', payload: '' });
      await runner().start();
      await clock.advance(0);
      await queue.setRate('AC1', 10);
      await clock.advance(400);
      assert.equal(handled.filter((job) => job.id.startsWith('j')).length, 5);
      assert.equal(handled.filter((job) => job.id.startsWith('k')).length, 1);
    }));

  it('two lanes of one store do not meet', () =>
    inWorld(async ({ clock, store, queue, runner, handled }) => {
      const other = new LaneQueue({ store, clock, lane: 'message', defaultRatePerSecond: 1 });
      await other.enqueue({ id: 'a', key: 'AC1', payload: '' });
      await queue.enqueue({ id: 'a', key: 'AC1', payload: '' });
      await runner().start();
      await clock.advance(5_000);
      assert.equal(handled.length, 1);
      assert.equal(await other.depth('AC1'), 1);
    }));

  it('refuses a rate or a cost that means nothing', () =>
    inWorld(async ({ queue }) => {
      for (const rate of [0, -1, Number.NaN]) await assert.rejects(queue.setRate('AC1', rate), RangeError);
      for (const cost of [0, 1.5, -1]) {
        await assert.rejects(queue.enqueue({ id: 'a', key: 'AC1', payload: '', cost }), RangeError);
      }
    }));
});
