import { createHash } from 'node:crypto';
import type { AccountSid } from '../../base/sid.ts';
import type { Credentials } from './credentials.ts';
import type { DomainMappings, MappingKind } from './domain-mappings.ts';
import type { SipDomains } from './sip-domains.ts';

const MAX_LISTS = 100;
/** Registrations of a place repeat all day: what was made for them is kept until a password, list or domain changes. */
const MAX_KEPT = 20_000;

/** What a digest is checked with; the password stays behind. */
export interface SipDigest {
  readonly accountSid: AccountSid;
  readonly credentialSid: string;
  readonly username: string;
  readonly realm: string;
  readonly ha1Md5: string;
  readonly ha1Sha256: string;
}

export interface SipDigestSources {
  readonly domains: SipDomains;
  readonly mappings: DomainMappings;
  readonly credentials: Credentials;
}

/**
 * Digests of a domain's users. They are made from the encrypted password when asked for: a new mapping, a renamed domain
 * or another password is good at once, and no row can be out of step with another.
 */
export class SipDigests {
  readonly #sources: SipDigestSources;
  readonly #kept = new Map<string, SipDigest>();
  /** Rises with each change, so that a digest read before it is not kept after it. */
  #generation = 0;

  constructor(sources: SipDigestSources) {
    this.#sources = sources;
  }

  /** A password, a list, a mapping or a domain changed. */
  forget(): void {
    this.#generation += 1;
    this.#kept.clear();
  }

  /** Undefined for an unknown domain, an unknown user, or one that no mapping of this kind admits. */
  async find(domainName: string, username: string, kind: MappingKind): Promise<SipDigest | undefined> {
    const key = `${kind} ${domainName.toLowerCase()} ${username}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const generation = this.#generation;
    const made = await this.#make(domainName, username, kind);
    // Unknown users are not kept: strangers could fill the memory with them.
    if (made === undefined || generation !== this.#generation) return made;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, made);
    return made;
  }

  async #make(domainName: string, username: string, kind: MappingKind): Promise<SipDigest | undefined> {
    const domain = await this.#sources.domains.findByName(domainName);
    if (domain === undefined) return undefined;
    const scope = { accountSid: domain.accountSid, domainSid: domain.sid, kind };
    const { records } = await this.#sources.mappings.list(scope, { size: MAX_LISTS });
    const lists = records.map((mapping) => mapping.credentialListSid);
    const credential = await this.#sources.credentials.findByUsername(lists, username);
    if (credential === undefined) return undefined;
    const realm = domain.domainName;
    return {
      accountSid: domain.accountSid,
      credentialSid: credential.sid,
      username,
      realm,
      ...ha1(username, realm, credential.password),
    };
  }
}

/** RFC 7616 3.4.2: H(username:realm:password), for both algorithms, in lower-case hexadecimal. */
export function ha1(
  username: string,
  realm: string,
  password: string,
): { readonly ha1Md5: string; readonly ha1Sha256: string } {
  const secret = `${username}:${realm}:${password}`;
  const hash = (algorithm: string): string => createHash(algorithm).update(secret, 'utf8').digest('hex');
  return { ha1Md5: hash('md5'), ha1Sha256: hash('sha256') };
}
