import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { postgresqlMissing, startPostgresql, type TestPostgresql } from '../testkit/postgresql.ts';
import { storeCompliance } from './compliance.ts';
import { openPostgresStore, type PostgresStore } from './postgresql-store.ts';

const open = (connectionString: string): Promise<PostgresStore> =>
  openPostgresStore({ connectionString, clock: systemClock, logger: silentLogger });

const missing = postgresqlMissing();

describe('PostgreSQL', { skip: missing ?? false }, () => {
  let server: TestPostgresql;
  before(async () => (server = await startPostgresql()));
  after(() => server.stop());

  storeCompliance('PostgreSQL store', async () => open(await server.createDatabase()));

  it('two processes that lock the same rows in opposite order both get their writes done', async () => {
    const database = await server.createDatabase();
    const [one, two] = [await open(database), await open(database)];
    const create = 'create table item (id text primary key, n bigint not null)';
    await one.write([{ sql: create, parameters: [] }]);
    await one.write([{ sql: "insert into item values ('a', 0), ('b', 0)", parameters: [] }]);
    const bump = (id: string) => ({
      sql: 'update item set n = n + 1 where id = $1',
      parameters: [id],
      expectedRows: 1,
    });
    const pause = { sql: 'select pg_sleep(0.05)', parameters: [] };
    await Promise.all([one.write([bump('a'), pause, bump('b')]), two.write([bump('b'), pause, bump('a')])]);
    const rows = await one.read({ sql: 'select n from item', parameters: [] });
    assert.deepEqual(rows, [{ n: 2 }, { n: 2 }]);
    await Promise.all([one.close(), two.close()]);
  });

  it('a connection that the server ends fails the write and the next one gets a new connection', async () => {
    const store = await open(await server.createDatabase());
    const kill = { sql: 'select pg_terminate_backend(pg_backend_pid())', parameters: [] };
    await assert.rejects(store.write([kill]), { code: 'failed' });
    await store.write([{ sql: 'create table item (id text)', parameters: [] }]);
    await store.close();
  });

  it('a server that is not there is a failure with a code', async () => {
    await assert.rejects(open('postgresql://nobody@/none?host=/tmp/no-such-folder'), { code: 'failed' });
  });
});
