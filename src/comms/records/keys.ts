import { randomHex } from '../../base/random.ts';
import type { AccountSid } from '../../base/sid.ts';
import type { Key } from '../model.ts';
import { sealed, text } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type RecordContext } from './owned-records.ts';

const SECRET_BYTES = 16;

/** API keys: SK sids with a secret, good for their account's resources. */
export class Keys extends OwnedRecords<Key> {
  constructor(context: RecordContext) {
    super(context, {
      name: 'comms_api_key',
      key: 'sid',
      kept: true,
      sidPrefix: 'SK',
      columns: {
        sid: text(),
        accountSid: text(),
        friendlyName: text(),
        secret: sealed(context.secrets, 'api_key.secret'),
        ...dateColumns,
      },
    });
  }

  /** Makes the secret, too: the answer to this is the only place where it is shown. */
  issue(accountSid: AccountSid, friendlyName: string): Promise<Key> {
    return this.create({ accountSid, friendlyName, secret: randomHex(this.context.random, SECRET_BYTES) });
  }

  /** Whosever it is; for authentication. */
  findBySid(sid: string): Promise<Key | undefined> {
    return this.table.find([['sid', '=', sid]]);
  }
}
