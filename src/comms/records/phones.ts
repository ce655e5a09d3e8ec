import type { AccountSid, Sid } from '../../base/sid.ts';
import type { Migration } from '../../store/migrate.ts';
import { queryBuilder, statement } from '../../store/query-builder.ts';
import type { Store, WriteStatement } from '../../store/store.ts';
import type { Phone } from '../place-model.ts';

interface PhoneTable {
  name: string;
  account_sid: string;
  phone_number: string | null;
  credential_sid: string;
  date_created: number;
}

interface Tables {
  phone: PhoneTable;
}

export const PHONE_MIGRATIONS: readonly Migration[] = [
  {
    name: 'place/0001-phones',
    up: [
      `create table phone (
        name text primary key,
        account_sid text not null,
        phone_number text,
        credential_sid text not null,
        date_created bigint not null)`,
      'create unique index phone_number_once on phone (phone_number) where phone_number is not null',
    ],
  },
];

/** The place's own phones. Their passwords are credentials of the home domain, written in the same write. */
export class PhoneRecords {
  readonly #store: Store;
  readonly #qb;

  constructor(store: Store) {
    this.#store = store;
    this.#qb = queryBuilder<Tables>(store);
  }

  insertStatement(phone: Phone): WriteStatement {
    const row: PhoneTable = {
      name: phone.name,
      account_sid: phone.accountSid,
      phone_number: phone.number,
      credential_sid: phone.credentialSid,
      date_created: phone.dateCreated,
    };
    return statement(this.#qb.insertInto('phone').values(row), { expectedRows: 1 });
  }

  deleteStatement(name: string): WriteStatement {
    return statement(this.#qb.deleteFrom('phone').where('name', '=', name), { expectedRows: 1 });
  }

  async list(): Promise<readonly Phone[]> {
    const rows = await this.#store.read(this.#qb.selectFrom('phone').selectAll().orderBy('name').compile());
    return rows.map(phoneOf);
  }

  async byName(name: string): Promise<Phone | undefined> {
    const query = this.#qb.selectFrom('phone').selectAll().where('name', '=', name);
    return (await this.#store.read(query.compile())).map(phoneOf)[0];
  }

  async byNumber(number: string): Promise<Phone | undefined> {
    const query = this.#qb.selectFrom('phone').selectAll().where('phone_number', '=', number);
    return (await this.#store.read(query.compile())).map(phoneOf)[0];
  }
}

function phoneOf(row: PhoneTable): Phone {
  return {
    name: row.name,
    accountSid: row.account_sid as AccountSid,
    number: row.phone_number,
    credentialSid: row.credential_sid as Sid<'CR'>,
    dateCreated: row.date_created,
  };
}
