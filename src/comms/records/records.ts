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
  const mappings = new DomainMappings(context);
  const credentials = new Credentials(context);
  const domains = new SipDomains(context, mappings);
  const numbers = new Numbers(context);
  return {
    accounts: new Accounts(context),
    keys: new Keys(context),
    numbers,
    applications: new Applications(context, numbers),
    domains,
    credentialLists: new CredentialLists(context, credentials, mappings),
    credentials,
    mappings,
    digests: new SipDigests({ domains, mappings, credentials }),
    calls: new Calls(context),
    recordings: new Recordings(context),
    notifications: new Notifications(context),
    phones: new Phones(context),
    trunks: new Trunks(context),
  };
}
