import type { WriteStatement } from '../../store/store.ts';
import type { Trunk } from '../place-model.ts';
import { flag, integer, json, sealedOrNull, text, time } from './columns.ts';
import type { RecordContext } from './owned-records.ts';
import { RecordTable } from './record-table.ts';

/** Lines to other exchanges. */
export class Trunks {
  readonly #table: RecordTable<Trunk>;

  constructor(context: RecordContext) {
    this.#table = new RecordTable<Trunk>(context.store, {
      name: 'comms_trunk',
      columns: {
        sid: text(),
        accountSid: text(),
        name: text(),
        uri: text(),
        username: text(),
        password: sealedOrNull(context.secrets, 'trunk.password'),
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
