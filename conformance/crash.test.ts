import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { postgresqlMissing, startPostgresql, type TestPostgresql } from '../src/testkit/postgresql.ts';
import { crashRounds } from './crash-rounds/crash-rounds.ts';

const ROUNDS = 20;
const POSTGRESQL_ROUNDS = 4;
/** Another seed finds other moments: `npm run crash-rounds -- 200 --seed N`. */
const SEED = 2026;
const FEWEST_CALLS = 100;

const onLinux =
  process.platform === 'linux' ? {} : { skip: 'crash rounds: only Linux tells the children of a process' };

test('a server that is killed at any moment keeps what it acknowledged and dials nothing twice', onLinux, async (t) => {
  const verdict = await crashRounds(t, { rounds: ROUNDS, seed: SEED, say: (line) => t.diagnostic(line) });
  t.diagnostic(JSON.stringify(verdict));
  assert.ok(verdict.acknowledged >= FEWEST_CALLS, `${verdict.acknowledged} calls were acknowledged: too few to prove`);
  assert.ok(verdict.interrupted > 0, 'no kill met a call: nothing was proven');
});

const missing = postgresqlMissing();
let database: TestPostgresql | undefined;
after(() => database?.stop());

test('so does one whose store is PostgreSQL', missing === undefined ? onLinux : { skip: missing }, async (t) => {
  database = await startPostgresql();
  const postgresql = await database.createDatabase();
  const verdict = await crashRounds(t, {
    rounds: POSTGRESQL_ROUNDS,
    seed: SEED,
    postgresql,
    say: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(verdict));
  assert.ok(verdict.acknowledged > 0);
});
