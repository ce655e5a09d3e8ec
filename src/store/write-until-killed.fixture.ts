import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { openSqliteStore } from './sqlite-store.ts';

// Writes rows to the database named by its argument, ten at a time, and prints each id when it is acknowledged, until it
// is killed.
const store = openSqliteStore({ path: process.argv[2] ?? '', clock: systemClock, logger: silentLogger });
await store.write([{ sql: 'create table item (id text primary key, body text)', parameters: [] }]);
for (let n = 0; n < 100_000; n += 10) {
  const ids = Array.from({ length: 10 }, (_, k) => `id-${n + k}`);
  await Promise.all(
    ids.map(async (id) => {
      await store.write([{ sql: 'insert into item (id, body) values (?, ?)', parameters: [id, 'x'.repeat(100)] }]);
      process.stdout.write(`${id}\n`);
    }),
  );
}
