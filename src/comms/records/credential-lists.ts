import type { AccountSid } from '../../base/sid.ts';
import type { CredentialList } from '../model.ts';
import { text } from './columns.ts';
import type { Credentials } from './credentials.ts';
import type { DomainMappings } from './domain-mappings.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type RecordContext } from './owned-records.ts';

export class CredentialLists extends OwnedRecords<CredentialList> {
  readonly #credentials: Credentials;
  readonly #mappings: DomainMappings;

  constructor(context: RecordContext, credentials: Credentials, mappings: DomainMappings) {
    super(context, {
      name: 'comms_credential_list',
      key: 'sid',
      sidPrefix: 'CL',
      columns: { sid: text(), accountSid: text(), friendlyName: text(), ...dateColumns },
    });
    this.#credentials = credentials;
    this.#mappings = mappings;
  }

  /** Its credentials and mappings go with it. */
  override async delete(accountSid: AccountSid, sid: string): Promise<void> {
    const remove = this.table.deleteStatement(this.own(accountSid, sid));
    await this.write([remove, this.#credentials.deleteOfListStatement(sid), this.#mappings.deleteOfListStatement(sid)]);
  }
}
