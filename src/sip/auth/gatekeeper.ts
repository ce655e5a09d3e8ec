import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import {
  digestResponse,
  formatChallenge,
  parseAuthorization,
  type DigestAlgorithm,
  type DigestAuthorization,
} from '../../wire/sip/digest.ts';
import type { SipHeader } from '../../wire/sip/message.ts';
import { TokenBuckets, type BucketShape } from '../limits/token-buckets.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { Admission, StoredCredential } from '../user-agent.ts';
import { ChallengeChoice } from './challenge-choice.ts';
import { nodeDigestHash } from './node-digest-hash.ts';
import { Nonces } from './nonces.ts';

/** Wrong passwords that one address may send before it has to wait. */
export const FAILED_ATTEMPTS: BucketShape = { burst: 20, perSecond: 0.2 };
const MAX_WATCHED_SOURCES = 20_000;
const MAX_PROVEN_DEVICES = 20_000;
/** An unknown user costs the same time as a wrong password. */
const NOBODY = { ha1Md5: '', ha1Sha256: '' };

/** `www` asks with 401, as a registrar; `proxy` with 407, as what stands before an application. */
export type ChallengeKind = 'www' | 'proxy';

export type Verdict =
  | { readonly kind: 'proven'; readonly credential: StoredCredential }
  | { readonly kind: 'challenge'; readonly status: 401 | 407; readonly headers: readonly SipHeader[] }
  /** Too many wrong passwords from this address. */
  | { readonly kind: 'wait'; readonly seconds: number };

/** Asks for passwords and judges them: digest with SHA-256 and MD5, `auth` only (RFC 3261 22, RFC 8760). */
export class Gatekeeper {
  readonly #admission: Admission;
  readonly #nonces: Nonces;
  readonly #failures: TokenBuckets;
  readonly #choice = new ChallengeChoice();
  /** Users and the addresses from which they showed the right password, latest last. */
  readonly #proven = new Set<string>();

  constructor(options: {
    readonly admission: Admission;
    readonly clock: Clock;
    readonly random: Random;
    readonly failures?: BucketShape;
  }) {
    this.#admission = options.admission;
    this.#nonces = new Nonces(options.clock, options.random);
    this.#failures = new TokenBuckets(options.clock, options.failures ?? FAILED_ATTEMPTS, MAX_WATCHED_SOURCES);
  }

  /** Whether a request carries credentials for a realm; without them the challenge needs no look at anything else. */
  presented(request: ReceivedRequest, realm: string): DigestAuthorization | undefined {
    for (const { name, value } of request.message.headers) {
      if (name !== 'Authorization' && name !== 'Proxy-Authorization') continue;
      const authorization = parseAuthorization(value);
      if (authorization?.realm === realm) return authorization;
    }
    return undefined;
  }

  async judge(
    request: ReceivedRequest,
    realm: string,
    kind: ChallengeKind,
    presented = this.presented(request, realm),
  ): Promise<Verdict> {
    if (presented === undefined) return this.challenge(request, realm, kind);
    this.#choice.answered(request, presented.algorithm);
    const { address } = request.flow.remote;
    const device = `${address} ${realm} ${presented.username}`;
    // Behind a shared address the wrong passwords of one do not lock out the others: who has shown a right one there is
    // counted alone.
    const source = this.#proven.has(device) ? device : address;
    if (!this.#failures.has(source)) return { kind: 'wait', seconds: Math.ceil(this.#failures.waitMs(source) / 1000) };
    const credential = await this.#admission.credential(realm, presented.username);
    const isPasswordRight = isRight(presented, credential ?? NOBODY, request.method);
    if (credential === undefined || !isPasswordRight) {
      this.#failures.take(source);
      return this.challenge(request, realm, kind);
    }
    this.#remember(device);
    // RFC 7616 3.4: one use of a count; a client without qop has one use of the nonce.
    const count = Number.parseInt(presented.protection?.nonceCount ?? '1', 16);
    // 7616 3.3: stale means a good password with a nonce that is none (any more). That of before a restart is one too:
    // a phone that keeps its nonce goes on without asking anybody.
    const isFresh = this.#nonces.judge(presented.nonce, realm) === 'fresh' && this.#nonces.use(presented.nonce, count);
    if (!isFresh) return this.challenge(request, realm, kind, true);
    return { kind: 'proven', credential };
  }

  #remember(device: string): void {
    this.#proven.delete(device);
    const oldest = this.#proven.size < MAX_PROVEN_DEVICES ? undefined : this.#proven.values().next().value;
    if (oldest !== undefined) this.#proven.delete(oldest);
    this.#proven.add(device);
  }

  challenge(
    request: ReceivedRequest,
    realm: string,
    kind: ChallengeKind,
    stale = false,
  ): Verdict & { readonly kind: 'challenge' } {
    const name = kind === 'www' ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    const nonce = this.#nonces.issue(realm);
    const line = (algorithm: DigestAlgorithm): SipHeader => ({
      name,
      value: formatChallenge({ realm, nonce, algorithm, qopAuth: true, stale }),
    });
    const lines = this.#choice.offer(request).map(line);
    return { kind: 'challenge', status: kind === 'www' ? 401 : 407, headers: lines };
  }
}

function isRight(
  presented: DigestAuthorization,
  credential: Pick<StoredCredential, 'ha1Md5' | 'ha1Sha256'>,
  method: string,
): boolean {
  const { algorithm, nonce, uri, protection, response } = presented;
  if (algorithm === 'SHA-512-256') return false;
  const ha1 = algorithm === 'MD5' ? credential.ha1Md5 : credential.ha1Sha256;
  const input = { algorithm, ha1, nonce, method, uri, ...(protection && { protection }) };
  const expected = Buffer.from(digestResponse(nodeDigestHash, input));
  const got = Buffer.from(response);
  return got.length === expected.length && timingSafeEqual(got, expected);
}
