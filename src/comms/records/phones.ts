import type { AccountSid } from '../../base/sid.ts';
import type { Migration } from '../../store/migrate.ts';
import type { Store, WriteStatement } from '../../store/store.ts';
import type { Phone } from '../place-model.ts';
import { text, time } from './columns.ts';
import { RecordTable } from './record-table.ts';

export const PHONE_MIGRATIONS: readonly Migration[] = [
  {
    name: 'place/0001-phones',
    up: [
      `create table phone (
        name text primary key,
        account_sid text not null,
        number text,
        credential_sid text not null,
        date_created bigint not null)`,
      'create unique index phone_number_once on phone (number) where number is not null',
    ],
  },
];

/** The place's own phones. Their passwords are credentials of the home domain, written in the same write. */
export class PhoneRecords {
  readonly #table: RecordTable<Phone>;

  constructor(store: Store) {
    this.#table = new RecordTable<Phone>(store, {
      name: 'phone',
      columns: {
        name: text(),
        accountSid: text<AccountSid>(),
        number: text(),
        credentialSid: text(),
        dateCreated: time(),
      },
      key: 'name',
    });
  }

  insertStatement(phone: Phone): WriteStatement {
    return this.#table.insertStatement(phone);
  }

  deleteStatement(name: string): WriteStatement {
    return this.#table.deleteStatement([['name', '=', name]]);
  }

  list(): Promise<readonly Phone[]> {
    return this.#table.all([]);
  }

  byName(name: string): Promise<Phone | undefined> {
    return this.#table.find([['name', '=', name]]);
  }

  byNumber(number: string): Promise<Phone | undefined> {
    return this.#table.find([['number', '=', number]]);
  }
}
