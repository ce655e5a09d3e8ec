import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { HoldBack } from '../../base/hold-back.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import {
  digestResponse,
  formatChallenge,
  parseAuthorization,
  type DigestAlgorithm,
  type DigestAuthorization,
} from '../../wire/sip/digest.ts';
import type { SipHeader } from '../../wire/sip/message.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { Admission, StoredCredential } from '../user-agent.ts';
import { ChallengeChoice } from './challenge-choice.ts';
import { nodeDigestHash } from './node-digest-hash.ts';
import { Nonces } from './nonces.ts';

const MAX_PROVEN_DEVICES = 20_000;
/** An unknown user costs the same time as a wrong password. */
const NOBODY = { ha1Md5: '', ha1Sha256: '' };

/** `www` asks with 401, as a registrar; `proxy` with 407, as what stands before an application. */
export type ChallengeKind = 'www' | 'proxy';

export type Verdict =
  | { readonly kind: 'proven'; readonly credential: StoredCredential }
  | { readonly kind: 'challenge'; readonly status: 401 | 407; readonly headers: readonly SipHeader[] };

/** Asks for passwords and judges them: digest with SHA-256 and MD5, `auth` only (RFC 3261 22, RFC 8760). */
export class Gatekeeper {
  readonly #admission: Admission;
  readonly #nonces: Nonces;
  readonly #guesses: HoldBack;
  readonly #logger: Logger;
  readonly #choice = new ChallengeChoice();
  /** Addresses and the users who showed the right password from there, latest last. */
  readonly #proven = new Set<string>();

  constructor(options: {
    readonly admission: Admission;
    readonly clock: Clock;
    readonly random: Random;
    /** Wrong passwords, by address. */
    readonly guesses: HoldBack;
    readonly logger: Logger;
  }) {
    this.#admission = options.admission;
    this.#nonces = new Nonces(options.clock, options.random);
    this.#guesses = options.guesses;
    this.#logger = options.logger;
  }

  /** Whether a request carries credentials for a realm; without them the challenge needs no look at anything else. */
  presented(request: ReceivedRequest, realm: string): DigestAuthorization | undefined {
    return credentialsOf(request).find((each) => each.realm === realm);
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
    // A nonce that this address was not given says nothing about who sends from there: the address may be forged, and its
    // failures another's. The password is not even looked at, so that nobody is told by `stale` whether it was right.
    if (this.#nonces.judge(presented.nonce, realm, address) !== 'fresh') {
      return this.challenge(request, realm, kind, true);
    }
    const credential = await this.#admission.credential(realm, presented.username);
    const isPasswordRight = isRight(presented, credential ?? NOBODY, request.method);
    if (credential === undefined || !isPasswordRight) {
      this.#guesses.fail(address);
      // Of names that nobody has nothing is said: scanners try them by the thousand.
      if (credential !== undefined) this.#logger.warn({ user: presented.username, address }, 'wrong SIP password');
      return this.challenge(request, realm, kind);
    }
    this.#remember(deviceKey(address, presented.username));
    // RFC 7616 3.4: one use of a count; a client without qop has one use of the nonce.
    const count = Number.parseInt(presented.protection?.nonceCount ?? '1', 16);
    // 7616 3.3: stale means a good password with a nonce that is none any more.
    if (!this.#nonces.use(presented.nonce, count)) return this.challenge(request, realm, kind, true);
    return { kind: 'proven', credential };
  }

  /**
   * Whether a request comes from a phone that may not be kept out by what others do behind its address or in its name:
   * it showed the right password from there before.
   */
  isKnown(request: ReceivedRequest): boolean {
    const { address } = request.flow.remote;
    const names = credentialsOf(request).map(({ username }) => username);
    const sender = parseSipUri(request.from.uri)?.user;
    return [...names, ...(sender === undefined ? [] : [sender])].some((name) =>
      this.#proven.has(deviceKey(address, name)),
    );
  }

  /** Whether a request shows a nonce that its address was given here: who sends it does receive what is sent there. */
  isReachable(request: ReceivedRequest): boolean {
    const { address } = request.flow.remote;
    return credentialsOf(request).some(({ nonce, realm }) => this.#nonces.judge(nonce, realm, address) !== 'foreign');
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
    const nonce = this.#nonces.issue(realm, request.flow.remote.address);
    const line = (algorithm: DigestAlgorithm): SipHeader => ({
      name,
      value: formatChallenge({ realm, nonce, algorithm, qopAuth: true, stale }),
    });
    const lines = this.#choice.offer(request).map(line);
    return { kind: 'challenge', status: kind === 'www' ? 401 : 407, headers: lines };
  }
}

function deviceKey(address: string, username: string): string {
  return `${address} ${username}`;
}

/** A request is asked for its credentials by those who limit, admit and judge it. */
const read = new WeakMap<ReceivedRequest, readonly DigestAuthorization[]>();

function credentialsOf(request: ReceivedRequest): readonly DigestAuthorization[] {
  const known = read.get(request);
  if (known !== undefined) return known;
  const credentials: DigestAuthorization[] = [];
  for (const { name, value } of request.message.headers) {
    if (name !== 'Authorization' && name !== 'Proxy-Authorization') continue;
    const shown = parseAuthorization(value);
    if (shown !== undefined) credentials.push(shown);
  }
  read.set(request, credentials);
  return credentials;
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
