import type { AccountSid } from '../../base/sid.ts';
import type { WriteStatement } from '../../store/store.ts';
import type { CredentialList, DomainMapping, SipDomain } from '../model.ts';
import { text } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import type { RecordContext } from './owned-records.ts';
import type { PageRequest, RecordPage } from './page.ts';
import { RecordTable, type Condition } from './record-table.ts';
import { taken, writeRecords } from './write-records.ts';

export type MappingKind = DomainMapping['kind'];

/** Which mappings are meant: those of one domain, for one use. */
export interface MappingScope {
  readonly accountSid: AccountSid;
  readonly domainSid: string;
  readonly kind: MappingKind;
}

/** Which credential lists are good for registering at a domain, and for calling through it. */
export class DomainMappings {
  readonly #context: RecordContext;
  readonly #table: RecordTable<DomainMapping>;

  constructor(context: RecordContext) {
    this.#context = context;
    this.#table = new RecordTable<DomainMapping>(context.store, {
      name: 'comms_domain_mapping',
      key: 'credentialListSid',
      columns: {
        domainSid: text(),
        credentialListSid: text(),
        accountSid: text(),
        kind: text(),
        friendlyName: text(),
        ...dateColumns,
      },
    });
  }

  /** Rejects with CommsError `refused` when the list is mapped so already. */
  async create(domain: SipDomain, list: CredentialList, kind: MappingKind): Promise<DomainMapping> {
    const now = Math.floor(this.#context.clock.now());
    const mapping: DomainMapping = {
      domainSid: domain.sid,
      credentialListSid: list.sid,
      accountSid: domain.accountSid,
      kind,
      friendlyName: list.friendlyName,
      dateCreated: now,
      dateUpdated: now,
    };
    const insert = this.#table.insertStatement(mapping);
    await writeRecords(this.#context.store, [insert], taken('The credential list is mapped to this domain already'));
    return mapping;
  }

  find(scope: MappingScope, credentialListSid: string): Promise<DomainMapping | undefined> {
    return this.#table.find([...conditions(scope), ['credentialListSid', '=', credentialListSid]]);
  }

  list(scope: MappingScope, page: PageRequest): Promise<RecordPage<DomainMapping>> {
    return this.#table.list(conditions(scope), page);
  }

  async delete(scope: MappingScope, credentialListSid: string): Promise<void> {
    const where: Condition<DomainMapping>[] = [...conditions(scope), ['credentialListSid', '=', credentialListSid]];
    await writeRecords(this.#context.store, [this.#table.deleteStatement(where)]);
  }

  /** Those of the given domains that have a mapping of any kind. */
  async mappedDomains(domainSids: readonly string[]): Promise<ReadonlySet<string>> {
    if (domainSids.length === 0) return new Set();
    const mappings = await this.#table.all([['domainSid', 'in', domainSids]]);
    return new Set(mappings.map((mapping) => mapping.domainSid));
  }

  deleteOfDomainStatement(domainSid: string): WriteStatement {
    return this.#table.deleteStatement([['domainSid', '=', domainSid]], 'any');
  }

  deleteOfListStatement(credentialListSid: string): WriteStatement {
    return this.#table.deleteStatement([['credentialListSid', '=', credentialListSid]], 'any');
  }
}

function conditions(scope: MappingScope): Condition<DomainMapping>[] {
  return [
    ['domainSid', '=', scope.domainSid],
    ['accountSid', '=', scope.accountSid],
    ['kind', '=', scope.kind],
  ];
}
