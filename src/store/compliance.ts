import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { migrate, type Migration } from './migrate.ts';
import { queryBuilder, statement } from './query-builder.ts';
import type { SqlValue, Store, WriteStatement } from './store.ts';

interface Parcel {
  id: string;
  lane: number;
  weight: number | null;
  note: string | null;
  seal: Uint8Array | null;
}

interface Tables {
  parcel: Parcel;
}

const migrations: readonly Migration[] = [
  {
    name: 'suite/0001-parcel',
    up: [
      'create table parcel (id text primary key, lane bigint not null, weight bigint, note text, seal bytea)',
      'create unique index parcel_note on parcel (note) where note is not null',
    ],
  },
];

/** What every Store promises. `open` gives an empty store; the suite closes it. */
export function storeCompliance(name: string, open: () => Promise<Store>): void {
  const promise = (title: string, test: (store: Store) => Promise<void>): void => {
    it(title, async () => {
      const store = await open();
      try {
        await migrate(store, migrations, { clock: systemClock });
        await test(store);
      } finally {
        await store.close();
      }
    });
  };
  describe(name, () => {
    describeWrites(promise);
    describeGroups(promise);
    describeValues(promise);
    describeMigrations(promise);
    describeClosing(promise);
  });
}

type Promised = (title: string, test: (store: Store) => Promise<void>) => void;

function insert(store: Store, id: string, more: Partial<Parcel> = {}): WriteStatement {
  const row = { id, lane: 1, weight: null, note: null, seal: null, ...more };
  return statement(queryBuilder<Tables>(store).insertInto('parcel').values(row), { expectedRows: 1 });
}

async function ids(store: Store): Promise<readonly string[]> {
  const rows = await store.read(queryBuilder<Tables>(store).selectFrom('parcel').select('id').orderBy('id').compile());
  return rows.map((row) => row.id);
}

function describeWrites(promise: Promised): void {
  promise('a read sees every write that was acknowledged', async (store) => {
    for (const id of ['a', 'b', 'c']) {
      await store.write([insert(store, id)]);
      assert.ok((await ids(store)).includes(id));
    }
  });

  promise('a write of several statements happens whole or not at all', async (store) => {
    await store.write([insert(store, 'a')]);
    await assert.rejects(store.write([insert(store, 'b'), insert(store, 'a')]), { code: 'duplicate' });
    assert.deepEqual(await ids(store), ['a']);
  });

  promise('refuses a write that touches another number of rows than it wants', async (store) => {
    const move = statement(
      queryBuilder<Tables>(store).updateTable('parcel').set({ lane: 2 }).where('id', '=', 'nobody'),
      {
        expectedRows: 1,
      },
    );
    await assert.rejects(store.write([insert(store, 'a'), move]), { code: 'unexpected-rows' });
    assert.deepEqual(await ids(store), []);
  });

  promise('a unique index refuses a row as a primary key does', async (store) => {
    await store.write([insert(store, 'a', { note: 'same' })]);
    await assert.rejects(store.write([insert(store, 'b', { note: 'same' })]), { code: 'duplicate' });
  });

  promise('gives the rows of RETURNING and counts what was affected', async (store) => {
    await store.write([insert(store, 'a'), insert(store, 'b')]);
    const qb = queryBuilder<Tables>(store);
    const [updated, deleted] = await store.write([
      statement(qb.updateTable('parcel').set({ weight: 7 }).where('id', '=', 'a').returning(['id', 'weight'])),
      statement(qb.deleteFrom('parcel')),
    ]);
    assert.deepEqual(updated, { affectedRows: 1, rows: [{ id: 'a', weight: 7 }] });
    assert.equal(deleted?.affectedRows, 2);
  });

  promise('a write without statements is taken and does nothing', async (store) => {
    assert.deepEqual(await store.write([]), []);
  });

  promise('a statement that the engine does not understand fails with a code', async (store) => {
    await assert.rejects(store.write([{ sql: 'delete form parcel', parameters: [] }]), { code: 'failed' });
    await assert.rejects(store.read({ sql: 'select * from nowhere', parameters: [] }), { code: 'failed' });
    await store.write([insert(store, 'a')]);
  });
}

function describeGroups(promise: Promised): void {
  promise('a duplicate rejects its own caller and nobody else of its group', async (store) => {
    const names = Array.from({ length: 60 }, (_, n) => (n % 3 === 2 ? 'same' : `own-${String(n).padStart(2, '0')}`));
    const outcomes = await Promise.allSettled(names.map((id) => store.write([insert(store, id)])));
    const refused = names.filter((_, n) => outcomes[n]?.status === 'rejected');
    assert.deepEqual(new Set(refused), new Set(['same']));
    assert.equal(refused.length, 19);
    assert.equal((await ids(store)).length, 41);
  });

  promise('writes take effect and are acknowledged in the order in which they were asked for', async (store) => {
    await store.write([insert(store, 'a', { weight: 0 })]);
    const qb = queryBuilder<Tables>(store);
    const settled: number[] = [];
    const writes = Array.from({ length: 200 }, async (_, n) => {
      const one = qb
        .updateTable('parcel')
        .set({ weight: n + 1 })
        .where('weight', '=', n);
      await store.write([statement(one, { expectedRows: 1 })]);
      settled.push(n);
    });
    await Promise.all(writes);
    assert.deepEqual(
      settled,
      Array.from({ length: 200 }, (_, n) => n),
    );
  });
}

function describeValues(promise: Promised): void {
  promise('numbers, text and bytes come back as they were written', async (store) => {
    const row = { id: 'ü\u{1F4DE}', lane: 2 ** 53 - 1, weight: -5, note: "it's", seal: new Uint8Array([0, 255, 39]) };
    await store.write([insert(store, row.id, row)]);
    const [found] = await store.read(queryBuilder<Tables>(store).selectFrom('parcel').selectAll().compile());
    assert.deepEqual({ ...found, seal: new Uint8Array(found?.seal ?? []) }, row);
  });

  promise('counts and sums that are cast to bigint come back as numbers', async (store) => {
    await store.write([insert(store, 'a', { weight: 3 }), insert(store, 'b', { weight: 4 })]);
    const sql = 'select count(*) as n, cast(sum(weight) as bigint) as total from parcel';
    assert.deepEqual(await store.read({ sql, parameters: [] }), [{ n: 2, total: 7 }]);
  });

  promise('a whole number beyond 2^53 is an error, not another number', async (store) => {
    await store.write([{ sql: "insert into parcel (id, lane) values ('a', 9007199254740993)", parameters: [] }]);
    await assert.rejects(store.read({ sql: 'select lane from parcel', parameters: [] }), { code: 'failed' });
  });

  promise('refuses values that the engines would take in different ways', async (store) => {
    const mark = store.dialect === 'sqlite' ? ['?', '?'] : ['$1', '$2'];
    const sql = `insert into parcel (id, lane) values (${mark.join(', ')})`;
    for (const bad of [new Date(0), { lane: 1 }, [1], undefined, true, Number.NaN, Infinity, Symbol('x')]) {
      for (const parameters of [
        [bad, 1],
        ['a', bad],
      ]) {
        const broken = { sql, parameters: parameters as SqlValue[] };
        await assert.rejects(store.write([broken]), { code: 'failed', message: /want null, a finite number/ });
        await assert.rejects(store.read(broken), { code: 'failed', message: /want null, a finite number/ });
      }
    }
    assert.deepEqual(await ids(store), []);
  });

  promise('a refused value leaves the others of its group alone', async (store) => {
    const broken = { ...insert(store, 'b'), parameters: [true as unknown as SqlValue] };
    const writes = [store.write([insert(store, 'a')]), store.write([broken]), store.write([insert(store, 'c')])];
    const outcomes = await Promise.allSettled(writes);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(await ids(store), ['a', 'c']);
  });

  promise('refuses more bound values than both engines take', async (store) => {
    const parameters = Array.from({ length: 40_000 }, () => 'x');
    await assert.rejects(store.read({ sql: 'select 1', parameters }), { code: 'failed', message: /at most 32766/ });
  });
}

function describeMigrations(promise: Promised): void {
  const second: Migration = { name: 'suite/0002-colour', up: ['alter table parcel add column colour text'] };

  promise('applies only the migrations that are new, in order', async (store) => {
    assert.deepEqual(await migrate(store, [...migrations, second], { clock: systemClock }), [second.name]);
    assert.deepEqual(await migrate(store, [...migrations, second], { clock: systemClock }), []);
    await store.read({ sql: 'select colour from parcel', parameters: [] });
  });

  promise('a store that a newer version wrote is refused by name', async (store) => {
    await migrate(store, [...migrations, second], { clock: systemClock });
    const expected = { code: 'too-new', message: /newer version.*suite\/0002-colour/ };
    await assert.rejects(migrate(store, migrations, { clock: systemClock }), expected);
  });

  promise('a migration that fails leaves nothing behind and can run again', async (store) => {
    const broken = { ...second, up: [...(second.up as readonly string[]), 'create tabel x (y text)'] };
    await assert.rejects(migrate(store, [...migrations, broken], { clock: systemClock }), { code: 'failed' });
    assert.deepEqual(await migrate(store, [...migrations, second], { clock: systemClock }), [second.name]);
  });

  promise('refuses a migration list with a name of another form, or twice', async (store) => {
    for (const name of ['colour', 'suite/2-colour', 'Suite/0002-colour', migrations[0]?.name ?? '']) {
      const list = [...migrations, { ...second, name }];
      await assert.rejects(migrate(store, list, { clock: systemClock }), { code: 'failed' });
    }
  });
}

function describeClosing(promise: Promised): void {
  promise('closing settles what was taken and then refuses with a code', async (store) => {
    const taken = store.write([insert(store, 'a')]);
    await Promise.all([store.close(), store.close()]);
    assert.equal((await taken)[0]?.affectedRows, 1);
    await assert.rejects(store.write([insert(store, 'b')]), { code: 'closed' });
    await assert.rejects(ids(store), { code: 'closed' });
  });
}
