import { createHash } from 'node:crypto';
import type { AccountSid } from '../../base/sid.ts';
import type { Credentials } from './credentials.ts';
import type { DomainMappings, MappingKind } from './domain-mappings.ts';
import type { SipDomains } from './sip-domains.ts';

const MAX_LISTS = 100;

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

  constructor(sources: SipDigestSources) {
    this.#sources = sources;
  }

  /** Undefined for an unknown domain, an unknown user, or one that no mapping of this kind admits. */
  async find(domainName: string, username: string, kind: MappingKind): Promise<SipDigest | undefined> {
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
