import { Accounts } from './accounts.ts';
import { Applications } from './applications.ts';
import { Calls } from './calls.ts';
import { CredentialLists } from './credential-lists.ts';
import { Credentials } from './credentials.ts';
import { DomainMappings } from './domain-mappings.ts';
import { Keys } from './keys.ts';
import { Notifications } from './notifications.ts';
import { Numbers } from './numbers.ts';
import type { RecordContext } from './owned-records.ts';
import { Phones } from './phones.ts';
import { Recordings } from './recordings.ts';
import { SipDigests } from './sip-digests.ts';
import { SipDomains } from './sip-domains.ts';
import { Trunks } from './trunks.ts';
import type { Store } from '../../store/store.ts';

/** The hard state of the communication service. */
export interface Records {
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly numbers: Numbers;
  readonly applications: Applications;
  readonly domains: SipDomains;
  readonly credentialLists: CredentialLists;
  readonly credentials: Credentials;
  readonly mappings: DomainMappings;
  readonly digests: SipDigests;
  readonly calls: Calls;
  readonly recordings: Recordings;
  readonly notifications: Notifications;
  readonly phones: Phones;
  readonly trunks: Trunks;
}

/** The store's tables must be there: `migrate(store, [...commsMigrations], { clock })`. */
export function openRecords(context: RecordContext): Records {
  const sip: RecordContext = { ...context, store: storeThatTells(context.store, () => digests.forget()) };
  const mappings = new DomainMappings(sip);
  const credentials = new Credentials(sip);
  const domains = new SipDomains(sip, mappings);
  const digests = new SipDigests({ domains, mappings, credentials });
  const numbers = new Numbers(context);
  return {
    accounts: new Accounts(context),
    keys: new Keys(context),
    numbers,
    applications: new Applications(context, numbers),
    domains,
    credentialLists: new CredentialLists(sip, credentials, mappings),
    credentials,
    mappings,
    digests,
    calls: new Calls(context),
    recordings: new Recordings(context),
    notifications: new Notifications(context),
    phones: new Phones(context),
    trunks: new Trunks(context),
  };
}

/** The store, telling when something was written through it: what was made of its rows is then old. */
function storeThatTells(store: Store, written: () => void): Store {
  return {
    dialect: store.dialect,
    read: (statement) => store.read(statement),
    revision: (table) => store.revision(table),
    close: () => store.close(),
    async write(statements) {
      const results = await store.write(statements);
      written();
      return results;
    },
  };
}
