import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { after, before, beforeEach, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { storeCompliance } from './compliance.ts';
import { migrate } from './migrate.ts';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';
import type { WriteStatement } from './store.ts';

const open = (path?: string, maxPages?: number): SqliteStore =>
  openSqliteStore({
    clock: systemClock,
    logger: silentLogger,
    ...(path === undefined ? {} : { path }),
    ...(maxPages === undefined ? {} : { maxPages }),
  });

storeCompliance('SQLite store, ephemeral', async () => open());
storeCompliance('SQLite store, in memory', async () =>
  openSqliteStore({ clock: systemClock, logger: silentLogger, inMemory: true }),
);

storeCompliance('SQLite store, on disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-store-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return open(join(folder, 'tandem.db'));
});

describe('SQLite store', () => {
  let root = '';
  let path = '';
  let count = 0;
  before(() => (root = mkdtempSync(join(tmpdir(), 'tandem-store-test-'))));
  beforeEach(() => (path = join(root, `folder-${(count += 1)}`, 'tandem.db')));
  after(() => rmSync(root, { recursive: true, force: true }));

  const table = { sql: 'create table item (id text primary key, body text)', parameters: [] };
  const item = (id: string, body = ''): WriteStatement => ({
    sql: 'insert into item (id, body) values (?, ?)',
    parameters: [id, body],
  });
  const ids = async (store: SqliteStore): Promise<readonly string[]> =>
    (await store.read<{ id: string }>({ sql: 'select id from item order by id', parameters: [] })).map((row) => row.id);

  const heldFor = async (forMs: number): Promise<void> => {
    const holder = new Worker(new URL('./hold-database.fixture.ts', import.meta.url), { workerData: { path, forMs } });
    await once(holder, 'message');
  };

  it('waits for who holds the file for a moment, to open it, to read and to write', async () => {
    const before = open(path);
    await before.write([table]);
    await before.close();
    await heldFor(200);
    const store = open(path);
    await store.write([item('opened')]);
    assert.deepEqual(await ids(store), ['opened']);
    await store.close();
  });

  it('is readable by its owner only', async () => {
    const store = open(path);
    await store.write([table]);
    for (const name of readdirSync(join(path, '..'))) {
      assert.equal(statSync(join(path, '..', name)).mode & 0o077, 0, name);
    }
    await store.close();
  });

  it('logs a full disk once, and once more when it can write again', async () => {
    const logged: string[] = [];
    const log = (_: object, message: string): void => void logged.push(message);
    const logger = { ...silentLogger, error: log, info: log };
    const store = openSqliteStore({ path, clock: systemClock, logger, maxPages: 20 });
    await store.write([table]);
    for (let n = 0; n < 5; n += 1) {
      await assert.rejects(store.write([item(`i${n}`, 'x'.repeat(200_000))]), { code: 'full' });
    }
    await store.write([item('small')]);
    await store.close();
    assert.deepEqual(logged, ['store: writes fail', 'store: writes succeed again']);
  });

  it('keeps its rows over a close and an open', async () => {
    const first = open(path);
    await first.write([table, item('a')]);
    await first.close();
    const second = open(path);
    assert.deepEqual(await ids(second), ['a']);
    await second.close();
  });

  it('has every acknowledged row after its process was killed', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'write-until-killed.fixture.ts'), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === 300) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    const store = open(path);
    const found = new Set(await ids(store));
    await store.close();
    assert.deepEqual(
      acknowledged.filter((id) => !found.has(id)),
      [],
    );
  });

  it('writes that are asked for together share one commit', async () => {
    const store = open(path);
    await store.write([table]);
    const version = async (): Promise<number> => {
      const [row] = await store.read<{ data_version: number }>({ sql: 'PRAGMA data_version', parameters: [] });
      return row?.data_version ?? 0;
    };
    const before = await version();
    const seen = new Set<number>();
    const writes = Array.from({ length: 100 }, async (_, n) => {
      await store.write([item(`i${n}`)]);
      seen.add(await version());
    });
    await Promise.all(writes);
    // The reading connection's data_version changes with each commit of the writing one that it notices.
    assert.equal(seen.size, 1);
    assert.ok(!seen.has(before));
    await store.close();
  });

  it('refuses with `full` when there is no room, says nothing false, and writes again when there is', async () => {
    const store = open(path, 60);
    await store.write([table]);
    const big = 'x'.repeat(20_000);
    const names = Array.from({ length: 30 }, (_, n) => `big-${String(n).padStart(2, '0')}`);
    const outcomes = await Promise.allSettled(names.map((id) => store.write([item(id, big)])));
    const written = names.filter((_, n) => outcomes[n]?.status === 'fulfilled');
    const codes = outcomes.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
    assert.ok(written.length > 0 && codes.length > 0);
    assert.deepEqual(new Set(codes), new Set(['full']));
    assert.deepEqual(await ids(store), written);
    await store.write([{ sql: 'delete from item', parameters: [] }]);
    await store.write([item('again', big)]);
    assert.deepEqual(await ids(store), ['again']);
    await store.close();
  });

  it('holds virtual time from the call of a write until it is acknowledged', async () => {
    const clock = new VirtualClock();
    const store = openSqliteStore({ clock, logger: silentLogger });
    const order: string[] = [];
    clock.at(1, () => order.push('timer'));
    const write = store.write([table]).then(() => order.push('written'));
    await clock.advance(10);
    await write;
    assert.deepEqual(order, ['written', 'timer']);
    await store.close();
  });

  it('copies itself before it migrates a folder that has data, and keeps the newest three copies', async () => {
    const store = open(path);
    const all = Array.from({ length: 6 }, (_, n) => ({ name: `x/000${n}-t`, up: [`create table t${n} (a text)`] }));
    for (let count = 1; count <= all.length; count += 1) {
      await migrate(store, all.slice(0, count), { clock: systemClock });
    }
    await store.close();
    const copies = readdirSync(join(path, '..')).filter((name) => name.includes('.before-'));
    assert.deepEqual(copies.sort(), ['tandem.db.before-3', 'tandem.db.before-4', 'tandem.db.before-5']);
    const copy = open(`${path}.before-4`);
    await copy.read({ sql: 'select * from t3', parameters: [] });
    await assert.rejects(copy.read({ sql: 'select * from t4', parameters: [] }), { code: 'failed' });
    await copy.close();
  });

  it('the reading connection cannot write', async () => {
    const store = open(path);
    await store.write([table]);
    await assert.rejects(store.read(item('a')), { code: 'failed' });
    await store.close();
  });

  it('an ephemeral store leaves nothing behind', async () => {
    const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('tandem-store-'));
    const before = new Set(left());
    const store = open();
    const own = left().filter((name) => !before.has(name));
    assert.ok(own.length > 0);
    await store.close();
    assert.ok(own.some((name) => !existsSync(join(tmpdir(), name))));
  });

  it('refuses a file that is no database', async () => {
    assert.throws(() => open(import.meta.filename), { code: 'failed' });
  });
});
