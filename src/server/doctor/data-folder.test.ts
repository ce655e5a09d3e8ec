import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { temporaryFolder } from '../../testkit/temporary-folder.ts';
import { examineDataFolder, spaceFinding, syncTimeFinding } from './data-folder.ts';
import type { Finding } from './finding.ts';

const about = (all: readonly Finding[], subject: string): Finding | undefined =>
  all.find((each) => each.subject === subject);

suite('doctor, of the data folder', () => {
  test('finds nothing wrong with one that is not made yet', async (t) => {
    const all = await examineDataFolder(join(temporaryFolder(t, 'doctor'), 'not', 'yet'), undefined);
    assert.deepEqual(
      all.map(({ level }) => level),
      ['ok'],
    );
    assert.match(all[0]?.text ?? '', /first start/);
  });

  test('says that others can read it, or the key in it, and how to mend that', async (t) => {
    const data = temporaryFolder(t, 'doctor');
    writeFileSync(join(data, 'master.key'), 'key', { mode: 0o644 });
    chmodSync(data, 0o755);
    const bad = await examineDataFolder(data, undefined);
    assert.equal(about(bad, 'data folder')?.level, 'warning');
    assert.match(about(bad, 'data folder')?.text ?? '', /chmod 700/);
    assert.equal(about(bad, 'master key')?.level, 'error');
    assert.match(about(bad, 'master key')?.text ?? '', /chmod 600/);
    chmodSync(join(data, 'master.key'), 0o600);
    chmodSync(data, 0o700);
    const good = await examineDataFolder(data, undefined);
    assert.deepEqual([about(good, 'data folder')?.level, about(good, 'master key')?.level], ['ok', 'ok']);
  });

  test('misses the key of a database, unless it comes from the environment', async (t) => {
    const data = temporaryFolder(t, 'doctor');
    assert.equal(about(await examineDataFolder(data, undefined), 'master key')?.level, 'ok');
    writeFileSync(join(data, 'tandem.db'), '');
    assert.equal(about(await examineDataFolder(data, undefined), 'master key')?.level, 'error');
    assert.equal(about(await examineDataFolder(data, 'given'), 'master key')?.level, 'ok');
  });

  test('measures how long the disk takes to sync, and leaves nothing behind', async (t) => {
    const data = temporaryFolder(t, 'doctor');
    assert.match(about(await examineDataFolder(data, undefined), 'disk sync')?.text ?? '', /a sync takes \d/);
    assert.deepEqual(readdirSync(data), []);
    assert.equal(syncTimeFinding([1, 2, 900]).level, 'ok');
    assert.equal(syncTimeFinding([60, 70, 900]).level, 'warning');
  });

  test('warns of little space, and fails where there is none', () => {
    assert.deepEqual(
      [10 ** 10, 5 * 10 ** 8, 10 ** 7].map((bytes) => spaceFinding(bytes).level),
      ['ok', 'warning', 'error'],
    );
  });
});
