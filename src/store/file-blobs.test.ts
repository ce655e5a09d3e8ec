import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import type { BlobId } from './blobs.ts';
import { blobMigrations, openFileBlobs, type FileBlobs } from './file-blobs.ts';
import { migrate } from './migrate.ts';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';
import type { WriteStatement } from './store.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('FileBlobs', () => {
  let root = '';
  let count = 0;
  before(() => (root = mkdtempSync(join(tmpdir(), 'tandem-blobs-test-'))));
  after(() => rmSync(root, { recursive: true, force: true }));

  type Test = (blobs: FileBlobs, folder: string, store: SqliteStore) => Promise<void>;
  const promise = (title: string, test: Test): void => {
    it(title, async () => {
      const folder = join(root, `blobs-${(count += 1)}`);
      const store = openSqliteStore({ clock: systemClock, logger: silentLogger });
      await migrate(store, blobMigrations, { clock: systemClock });
      await test(await openFileBlobs({ folder, store, clock: systemClock }), folder, store);
      await store.close();
    });
  };
  const content = (blobs: FileBlobs, id: BlobId): string => readFileSync(blobs.path(id) ?? '', 'utf8');

  promise('keeps bytes under their merkle root and gives path and size', async (blobs) => {
    const id = await blobs.put(text('a'.repeat(100_000)));
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(content(blobs, id), 'a'.repeat(100_000));
    assert.equal(await blobs.size(id), 100_000);
  });

  promise('a stream, an array and a file of the same bytes are one blob', async (blobs) => {
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield text('hel');
      yield text('lo');
    };
    const file = blobs.temporaryPath('.txt');
    writeFileSync(file, 'hello');
    const ids = [await blobs.put(stream()), await blobs.put(text('hello')), await blobs.adopt(file)];
    assert.equal(new Set(ids).size, 1);
    assert.equal(existsSync(file), false);
  });

  promise('a holder and its reference are written together or not at all', async (blobs, _folder, store) => {
    await store.write([{ sql: 'create table holder (id text primary key)', parameters: [] }]);
    const holding = (id: BlobId): WriteStatement => ({ sql: 'insert into holder values (?)', parameters: [id] });
    const adopt = (content: string, expectedRows: number): Promise<BlobId> => {
      const file = blobs.temporaryPath('.txt');
      writeFileSync(file, content);
      return blobs.adopt(file, (id) => [{ ...holding(id), expectedRows }]);
    };
    const holders = (): Promise<readonly unknown[]> => store.read({ sql: 'select id from holder', parameters: [] });
    await assert.rejects(adopt('refused', 2), { code: 'unexpected-rows' });
    assert.deepEqual(await holders(), []);
    const id = await adopt('taken', 1);
    assert.deepEqual(await holders(), [{ id }]);
    const leave = { sql: 'delete from holder', parameters: [] };
    await assert.rejects(blobs.release(id, [{ ...leave, expectedRows: 2 }]), { code: 'unexpected-rows' });
    assert.equal(content(blobs, id), 'taken');
    await blobs.release(id, [leave]);
    assert.deepEqual([await holders(), blobs.path(id)], [[], undefined]);
    assert.equal(await store.read({ sql: 'select 1 from blob', parameters: [] }).then((rows) => rows.length), 0);
  });

  promise('a sweep deletes the files that no row names, and no other', async (blobs, folder) => {
    const kept = await blobs.put(text('kept'));
    const orphan = 'f'.repeat(64);
    mkdirSync(join(folder, 'ff'));
    writeFileSync(join(folder, 'ff', orphan), 'moved, and then the process was killed');
    writeFileSync(join(folder, 'ff', 'README'), 'not ours');
    // A blob that is taken in meanwhile stays.
    const [swept, late] = await Promise.all([blobs.sweep(new AbortController().signal), blobs.put(text('late'))]);
    assert.equal(swept, 1);
    assert.equal(blobs.path(orphan as BlobId), undefined);
    assert.deepEqual(readdirSync(join(folder, 'ff')), ['README']);
    assert.deepEqual([content(blobs, kept), content(blobs, late)], ['kept', 'late']);
  });

  promise('a sweep ends when it is told to', async (blobs, folder) => {
    mkdirSync(join(folder, 'ff'));
    writeFileSync(join(folder, 'ff', 'f'.repeat(64)), 'orphan');
    assert.equal(await blobs.sweep(AbortSignal.abort()), 0);
  });

  promise('the file goes with its last reference', async (blobs) => {
    const id = await blobs.put(text('x'));
    await blobs.put(text('x'));
    await blobs.addReference(id);
    await blobs.release(id);
    await blobs.release(id);
    assert.equal(content(blobs, id), 'x');
    await blobs.release(id);
    assert.equal(blobs.path(id), undefined);
    assert.equal(await blobs.size(id), undefined);
    await assert.rejects(blobs.release(id), { code: 'unexpected-rows' });
    await assert.rejects(blobs.addReference(id), { code: 'unexpected-rows' });
  });

  promise('a release and a put of the same bytes at one moment leave the file', async (blobs) => {
    const id = await blobs.put(text('same'));
    for (let n = 0; n < 20; n += 1) {
      await Promise.all([blobs.release(id), blobs.put(text('same'))]);
      assert.equal(content(blobs, id), 'same');
    }
  });

  promise('adopts a file from another folder', async (blobs) => {
    const path = join(root, `outside-${count}.wav`);
    writeFileSync(path, 'RIFF');
    const id = await blobs.adopt(path);
    assert.equal(content(blobs, id), 'RIFF');
    assert.equal(existsSync(path), false);
  });

  promise('a stream that fails leaves nothing behind', async (blobs, folder) => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield text('half');
      throw new Error('cut off');
    };
    await assert.rejects(blobs.put(broken()), { code: 'failed', message: /cut off/ });
    assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
  });

  promise('a file that is not there is a failure with a code', async (blobs, folder) => {
    await assert.rejects(blobs.adopt(join(folder, 'nothing')), { code: 'failed' });
  });

  promise('temporary paths differ, and take no path as their suffix', async (blobs) => {
    assert.notEqual(blobs.temporaryPath('.wav'), blobs.temporaryPath('.wav'));
    assert.throws(() => blobs.temporaryPath('/../x'), RangeError);
  });

  promise('a temporary file that is not adopted can be given up, more than once', async (blobs) => {
    const path = blobs.temporaryPath('.wav');
    writeFileSync(path, 'half a sound');
    await blobs.discard(path);
    assert.equal(existsSync(path), false);
    await blobs.discard(path);
    await blobs.discard('/nowhere/at/all');
  });

  promise('opening again removes temporary files and keeps the blobs', async (blobs, folder, store) => {
    const id = await blobs.put(text('kept'));
    writeFileSync(blobs.temporaryPath('.part'), 'stale');
    const again = await openFileBlobs({ folder, store, clock: systemClock });
    assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
    assert.equal(content(again, id), 'kept');
  });

  promise('a reference that cannot be written takes its file back', async (blobs, folder, store) => {
    await store.write([{ sql: 'drop table blob', parameters: [] }]);
    await assert.rejects(blobs.put(text('x')), { code: 'failed' });
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.deepEqual(files, []);
  });
});
