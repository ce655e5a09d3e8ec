import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import type { SqlValue, WriteStatement } from './store.ts';
import { WritingThread } from './writing-thread.ts';

const TABLE: WriteStatement = { sql: 'create table if not exists item (id text, body any)', parameters: [] };
const item = (id: string, body: unknown = null): WriteStatement => ({
  sql: 'insert into item (id, body) values (?, ?)',
  parameters: [id, body as SqlValue],
});

function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-thread-test-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function closing(thread: WritingThread, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await thread.close();
  }
}

function rowsOf(path: string): unknown[] {
  const database = new DatabaseSync(path);
  const rows = database.prepare('select id, body from item order by rowid').all();
  database.close();
  return rows.map((row) => [row['id'], row['body']]);
}

describe('the writing thread', () => {
  it('refuses while the file cannot be opened, says why, and writes when it can', async (test) => {
    const folder = join(folderOf(test), 'later');
    const path = join(folder, 'tandem.db');
    const thread = new WritingThread({ path, durable: true });
    await closing(thread, async () => {
      await assert.rejects(thread.commit([[TABLE]]), { code: 'failed', message: /unable to open database file/ });
      mkdirSync(folder);
      assert.deepEqual(
        (await thread.commit([[TABLE], [item('a')]])).map(({ kind }) => kind),
        ['done', 'done'],
      );
    });
    assert.deepEqual(rowsOf(path), [['a', null]]);
  });

  it('keeps every value as it is: bytes, whole numbers beyond 2^53, any text', async (test) => {
    const path = join(folderOf(test), 'tandem.db');
    const thread = new WritingThread({ path, durable: true });
    const bodies = [Uint8Array.of(0, 255), 2n ** 60n, '"\\\u2028\u{1f600}', -1.5, '', null];
    await closing(thread, async () => {
      await thread.commit([[TABLE]]);
      await thread.commit(bodies.map((body, n) => [item(`together ${n}`, body)]));
      for (const [n, body] of bodies.entries()) await thread.commit([[item(`alone ${n}`, body)]]);
    });
    const database = new DatabaseSync(path);
    const read = database.prepare('select body from item order by rowid');
    read.setReadBigInts(true);
    assert.deepEqual(
      read.all().map((row) => row['body']),
      [...bodies, ...bodies],
    );
    database.close();
  });

  it('refuses a write whose value cannot be stored, in its place among the others', async (test) => {
    const path = join(folderOf(test), 'tandem.db');
    const thread = new WritingThread({ path, durable: true });
    await closing(thread, async () => {
      await thread.commit([[TABLE]]);
      const group = [[item('a')], [item('b', () => 1)], [item('c')], [item('d'), item('d')], [item('e', {})]];
      const kinds = (await thread.commit(group)).map(({ kind }) => kind);
      assert.deepEqual(kinds, ['done', 'refused', 'done', 'done', 'refused']);
    });
    assert.deepEqual(
      rowsOf(path).map((row) => (row as unknown[])[0]),
      ['a', 'c', 'd', 'd'],
    );
  });

  it('learns any number of texts', async (test) => {
    const path = join(folderOf(test), 'tandem.db');
    const thread = new WritingThread({ path, durable: false });
    await closing(thread, async () => {
      await thread.commit([[TABLE]]);
      for (let round = 0; round < 25; round += 1) {
        const group = Array.from({ length: 100 }, (_, n): WriteStatement[] => [
          { sql: `insert into item (id) values ('${round * 100 + n}')`, parameters: [], expectedRows: 1 },
        ]);
        await thread.commit(group);
      }
    });
    assert.deepEqual(
      rowsOf(path).map((row) => Number((row as unknown[])[0])),
      Array.from({ length: 2500 }, (_, n) => n),
    );
  });
});
