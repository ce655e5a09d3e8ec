import type { WriteStatement } from '../../store/store.ts';
import type { Phone, PhoneScript } from '../place-model.ts';
import { jsonOrNull, sealedOrNull, text, time } from './columns.ts';
import type { RecordContext } from './owned-records.ts';
import { RecordTable } from './record-table.ts';

/** The place's own phones. Their passwords are credentials of the home domain, written in the same write. */
export class Phones {
  readonly #table: RecordTable<Phone>;

  constructor(context: RecordContext) {
    this.#table = new RecordTable<Phone>(context.store, {
      name: 'comms_phone',
      kept: true,
      columns: {
        name: text(),
        accountSid: text(),
        number: text(),
        credentialSid: text(),
        script: jsonOrNull<PhoneScript>(),
        scriptPassword: sealedOrNull(context.secrets, 'phone.password'),
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
