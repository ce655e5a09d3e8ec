import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { openCuttingProxy } from '../testkit/cutting-proxy.ts';
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

  describe('a connection that breaks in a commit', () => {
    const create = { sql: 'create table item (id text primary key)', parameters: [] };
    const insert = (id: string) => ({ sql: 'insert into item values ($1)', parameters: [id], expectedRows: 1 });
    const rows = { sql: 'select id from item order by id', parameters: [] };

    it('is a write that was done, when only the answer was lost', async () => {
      await using proxy = await openCuttingProxy(await server.createDatabase());
      const store = await open(proxy.connectionString);
      await store.write([create]);
      proxy.cutNextCommit('answer');
      const [one, twice, other] = await Promise.allSettled([
        store.write([insert('a')]),
        store.write([insert('a')]),
        store.write([insert('b')]),
      ]);
      assert.equal(proxy.cuts, 1);
      assert.deepEqual([one.status, twice.status, other.status], ['fulfilled', 'rejected', 'fulfilled']);
      assert.deepEqual(await store.read(rows), [{ id: 'a' }, { id: 'b' }]);
      await store.close();
    });

    it('is a write that was not done, when the commit did not arrive', async () => {
      await using proxy = await openCuttingProxy(await server.createDatabase());
      const store = await open(proxy.connectionString);
      await store.write([create]);
      proxy.cutNextCommit('request');
      await assert.rejects(store.write([insert('a')]), { code: 'failed' });
      assert.equal(proxy.cuts, 1);
      assert.deepEqual(await store.read(rows), []);
      await store.write([insert('a')]);
      await store.close();
    });

    it('is said to be unknown when the program closes before the database can be asked', async () => {
      await using proxy = await openCuttingProxy(await server.createDatabase());
      const store = await open(proxy.connectionString);
      await store.write([create]);
      proxy.cutNextCommit('answer', { thenRefuse: true });
      const written = assert.rejects(store.write([insert('a')]), { code: 'unknown' });
      await proxy.cut;
      await Promise.all([store.close(), written]);
    });
  });

  it('a server that is not there is a failure with a code', async () => {
    await assert.rejects(open('postgresql://nobody@/none?host=/tmp/no-such-folder'), { code: 'failed' });
  });
});
