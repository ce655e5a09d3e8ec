import type { AccountSid } from '../../base/sid.ts';
import type { WriteStatement } from '../../store/store.ts';
import type { SipCredential } from '../model.ts';
import { sealed, text } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type RecordContext } from './owned-records.ts';
import { taken } from './write-records.ts';

/** With its password in the clear; encrypted in the store, shown by no API. */
export interface StoredSipCredential extends SipCredential {
  readonly password: string;
}

/** Users of SIP domains. A name occurs once in a list. */
export class Credentials extends OwnedRecords<StoredSipCredential> {
  constructor(context: RecordContext) {
    super(context, {
      name: 'comms_sip_credential',
      key: 'sid',
      sidPrefix: 'CR',
      taken: taken('Username is taken: the credential list has it already'),
      columns: {
        sid: text(),
        accountSid: text(),
        credentialListSid: text(),
        username: text(),
        password: sealed(context.secrets, 'sip_credential.password'),
        ...dateColumns,
      },
    });
  }

  /** A user of one of these lists; of the oldest entry when several have the name. */
  async findByUsername(
    credentialListSids: readonly string[],
    username: string,
  ): Promise<StoredSipCredential | undefined> {
    if (credentialListSids.length === 0) return undefined;
    const [credential] = await this.table.all([
      ['credentialListSid', 'in', credentialListSids],
      ['username', '=', username],
    ]);
    return credential;
  }

  /** Also when it is gone already: an API call may have deleted it. */
  deleteStatement(accountSid: AccountSid, sid: string): WriteStatement {
    return this.table.deleteStatement(this.own(accountSid, sid), 'any');
  }

  deleteOfListStatement(credentialListSid: string): WriteStatement {
    return this.table.deleteStatement([['credentialListSid', '=', credentialListSid]], 'any');
  }
}
