import type { AccountSid } from '../../base/sid.ts';
import type { SipDomain } from '../model.ts';
import { flag, text } from './columns.ts';
import type { DomainMappings } from './domain-mappings.ts';
import { dateColumns, voiceColumns } from './handling-columns.ts';
import { OwnedRecords, type RecordContext } from './owned-records.ts';
import { taken } from './write-records.ts';

/** SIP domains. The name is also the realm of its users' digests; it is kept in lower case. */
export class SipDomains extends OwnedRecords<SipDomain> {
  readonly #mappings: DomainMappings;

  constructor(context: RecordContext, mappings: DomainMappings) {
    super(context, {
      name: 'comms_sip_domain',
      key: 'sid',
      sidPrefix: 'SD',
      taken: taken('DomainName is taken: a SIP domain of this server has it'),
      columns: {
        sid: text(),
        accountSid: text(),
        friendlyName: text(),
        domainName: text(),
        ...voiceColumns,
        sipRegistration: flag,
        emergencyCallingEnabled: flag,
        secure: flag,
        byocTrunkSid: text(),
        emergencyCallerSid: text(),
        ...dateColumns,
      },
    });
    this.#mappings = mappings;
  }

  /** Whosever it is; for routing. Host names are compared without case (RFC 3261 19.1.4). */
  findByName(domainName: string): Promise<SipDomain | undefined> {
    return this.table.find([['domainName', '=', domainName.toLowerCase()]]);
  }

  override async delete(accountSid: AccountSid, sid: string): Promise<void> {
    const remove = this.table.deleteStatement(this.own(accountSid, sid));
    await this.write([remove, this.#mappings.deleteOfDomainStatement(sid)]);
  }
}
