import { systemClock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { silentLogger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import { migrate } from '../store/migrate.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { LaneQueue } from './queue.ts';
import { laneMigrations } from './queue-tables.ts';
import { LaneRunner } from './runner.ts';

// Runs the lane of the database named by its argument until it is empty, and prints what happens to each job. An empty
// database is given 100 jobs first.
const say = (text: string): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
const store = openSqliteStore({ path: process.argv[2] ?? '', clock: systemClock, logger: silentLogger });
const fresh = (await migrate(store, laneMigrations, { clock: systemClock })).length > 0;
const queue = new LaneQueue({ store, clock: systemClock, lane: 'call', defaultRatePerSecond: 100 });
if (fresh) {
  await Promise.all(Array.from({ length: 100 }, (_, n) => queue.enqueue({ id: `job-${n}`, key: 'AC1', payload: '' })));
}
const empty = deferred<void>();
const runner = new LaneRunner({
  queue,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  takenStatements: () => [],
  handle: async (job) => {
    await say(`handled ${job.id}`);
    if ((await queue.depth('AC1')) === 0) empty.resolve();
  },
  interrupted: (job) => say(`interrupted ${job.id}`),
  dropped: (job, reason) => say(`${reason} ${job.id}`),
});
if ((await queue.depth('AC1')) === 0) empty.resolve();
await runner.start();
await empty.promise;
await runner.stop();
await store.close();
