import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { migrate } from '../../store/migrate.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import { STORE_MIGRATIONS } from '../store-migrations.ts';
import { examinePostgresql, examineSqlite } from './store.ts';

async function madeStore(data: string): Promise<string> {
  const path = join(data, 'tandem.db');
  const store = openSqliteStore({ path, clock: systemClock, logger: silentLogger });
  await migrate(store, STORE_MIGRATIONS, { clock: systemClock });
  await store.close();
  return path;
}

suite('doctor, of the store', () => {
  test('finds it whole and of this version', async (t) => {
    const data = temporaryFolder(t, 'doctor');
    assert.match(examineSqlite(data, STORE_MIGRATIONS).text, /first start/);
    await madeStore(data);
    assert.deepEqual(examineSqlite(data, STORE_MIGRATIONS), {
      subject: 'store',
      level: 'ok',
      text: 'is whole, and of this version',
    });
  });

  test('tells a newer version from an older one', async (t) => {
    const data = temporaryFolder(t, 'doctor');
    await madeStore(data);
    const older = examineSqlite(data, STORE_MIGRATIONS.slice(0, -1));
    assert.deepEqual([older.level, /newer version/.test(older.text)], ['error', true]);
    const further = [...STORE_MIGRATIONS, { name: 'comms/9999-more', up: [] }];
    assert.match(examineSqlite(data, further).text, /brings it up by 1 step/);
  });

  test('finds damage, and what is no database', async (t) => {
    const data = temporaryFolder(t, 'doctor');
    const path = await madeStore(data);
    const bytes = readFileSync(path);
    for (let page = 1; page < bytes.length / 4096; page++) bytes.fill(0xee, page * 4096, page * 4096 + 100);
    writeFileSync(path, bytes);
    const damaged = examineSqlite(data, STORE_MIGRATIONS);
    assert.deepEqual([damaged.level, /backup/.test(damaged.text)], ['error', true], damaged.text);
    writeFileSync(path, 'a text');
    assert.equal(examineSqlite(data, STORE_MIGRATIONS).level, 'error');
  });

  test('says that PostgreSQL does not answer', async () => {
    const { level, text } = await examinePostgresql('postgresql://nobody@127.0.0.1:1/none');
    assert.equal(level, 'error');
    assert.match(text, /does not answer/);
  });
});
