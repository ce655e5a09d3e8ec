import type { Endpoint } from '../base/network.ts';
import type { Admission, CallerIdentity, SipTransport, StoredCredential } from '../sip/user-agent.ts';
import { parseSipUri } from '../wire/sip/uri.ts';
import type { Records } from './records/records.ts';

export interface AdmissionOptions {
  readonly records: Records;
  readonly homeDomain: string;
  /** Addresses of a trunk's host now. */
  trunkAddresses(host: string): readonly string[];
  /** Our own SIP socket: what comes from there is a call to one of our own numbers. */
  isOwn(source: Endpoint): boolean;
}

/** Who may register and call: users of SIP domains by digest, trunks by address. */
export class SipAdmission implements Admission {
  readonly #options: AdmissionOptions;
  readonly #registrars = new WeakSet<StoredCredential>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  async credential(realm: string, username: string): Promise<StoredCredential | undefined> {
    const { digests } = this.#options.records;
    const registering = await digests.find(realm, username, 'registrations');
    if (registering !== undefined) this.#registrars.add(registering);
    return registering ?? digests.find(realm, username, 'calls');
  }

  async realm(host: string): Promise<string> {
    const domain = await this.#options.records.domains.findByName(host);
    return domain?.domainName ?? this.#options.homeDomain;
  }

  async trustedPeer(source: Endpoint, transport: SipTransport): Promise<CallerIdentity | undefined> {
    if (this.#options.isOwn(source)) return { kind: 'anonymous' };
    for (const trunk of await this.#options.records.trunks.list()) {
      const uri = parseSipUri(trunk.uri);
      if (uri === undefined || !this.#options.trunkAddresses(uri.host).includes(source.address)) continue;
      // Several exchanges may share an address: over UDP the port tells them apart where the trunk names one.
      if (transport === 'udp' && uri.port !== undefined && uri.port !== source.port) continue;
      return { kind: 'trunk', accountSid: trunk.accountSid, name: trunk.name };
    }
    return undefined;
  }

  mayRegister(credential: StoredCredential, aor: string): boolean {
    if (!this.#registrars.has(credential)) return false;
    const uri = parseSipUri(aor);
    return uri?.user === credential.username && uri.host === credential.realm;
  }
}
