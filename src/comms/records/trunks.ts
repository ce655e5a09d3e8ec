import type { AccountSid } from '../../base/sid.ts';
import type { Migration } from '../../store/migrate.ts';
import type { Store, WriteStatement } from '../../store/store.ts';
import type { Trunk } from '../place-model.ts';
import { flag, integer, json, sealedOrNull, text, time } from './columns.ts';
import { RecordTable } from './record-table.ts';
import type { Secrets } from './secrets.ts';

export const TRUNK_MIGRATIONS: readonly Migration[] = [
  {
    name: 'place/0002-trunks',
    up: [
      `create table trunk (
        sid text primary key,
        account_sid text not null,
        name text not null unique,
        uri text not null,
        username text,
        password text,
        register bigint not null,
        prefixes text not null,
        max_calls bigint not null,
        date_created bigint not null)`,
    ],
  },
];

/** Lines to other exchanges. */
export class TrunkRecords {
  readonly #table: RecordTable<Trunk>;

  constructor(store: Store, secrets: Secrets) {
    this.#table = new RecordTable<Trunk>(store, {
      name: 'trunk',
      columns: {
        sid: text(),
        accountSid: text<AccountSid>(),
        name: text(),
        uri: text(),
        username: text(),
        password: sealedOrNull(secrets, 'trunk.password'),
        register: flag,
        prefixes: json<readonly string[]>(),
        maxCalls: integer(),
        dateCreated: time(),
      },
      key: 'sid',
    });
  }

  insertStatement(trunk: Trunk): WriteStatement {
    return this.#table.insertStatement(trunk);
  }

  deleteStatement(name: string): WriteStatement {
    return this.#table.deleteStatement([['name', '=', name]]);
  }

  list(): Promise<readonly Trunk[]> {
    return this.#table.all([]);
  }

  byName(name: string): Promise<Trunk | undefined> {
    return this.#table.find([['name', '=', name]]);
  }
}
