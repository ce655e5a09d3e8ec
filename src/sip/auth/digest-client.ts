import { randomHex, type Random } from '../../base/random.ts';
import { answerChallenge, chooseChallenge, formatAuthorization, type DigestChallenge } from '../../wire/sip/digest.ts';
import { headers, type SipHeader, type SipResponse } from '../../wire/sip/message.ts';
import type { SipCredentials } from '../user-agent.ts';
import { nodeDigestHash } from './node-digest-hash.ts';

/** Realms that one request may be challenged by on its way (RFC 3261 22.3: every proxy may ask). */
const MAX_REALMS = 4;
const CLIENT_NONCE_BYTES = 8;

interface Held {
  readonly header: 'Authorization' | 'Proxy-Authorization';
  readonly challenge: DigestChallenge;
  uses: number;
}

/** Answers challenges with one username and password, and keeps the nonces for the requests that follow. */
export class DigestClient {
  readonly #credentials: SipCredentials | undefined;
  readonly #random: Random;
  readonly #held = new Map<string, Held>();

  constructor(credentials: SipCredentials | undefined, random: Random) {
    this.#credentials = credentials;
    this.#random = random;
  }

  /**
   * Takes the challenge of a 401 or 407. `answered` belongs to one request and names the realms that it has answered.
   * False: there is nothing to answer with, or these credentials were just refused (RFC 3261 22.1: never again with the
   * same values, unless the nonce was only stale).
   */
  take(response: SipResponse, answered: Set<string>): boolean {
    if (this.#credentials === undefined) return false;
    const proxy = response.status === 407;
    const challenge = chooseChallenge(headers(response, proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate'));
    if (challenge === undefined) return false;
    const header = proxy ? 'Proxy-Authorization' : 'Authorization';
    const key = `${header} ${challenge.realm}`;
    if (answered.has(key) && !challenge.stale) return false;
    if (!this.#held.has(key) && this.#held.size >= MAX_REALMS) return false;
    answered.add(key);
    this.#held.set(key, { header, challenge, uses: 0 });
    return true;
  }

  /** Credentials for the next request, one line a realm that has asked before. */
  authorize(method: string, uri: string): readonly SipHeader[] {
    const credentials = this.#credentials;
    if (credentials === undefined) return [];
    return Array.from(this.#held.values(), (held) => {
      held.uses += 1;
      const clientNonce = randomHex(this.#random, CLIENT_NONCE_BYTES);
      const options = { challenge: held.challenge, ...credentials, method, uri, clientNonce, nonceCount: held.uses };
      return { name: held.header, value: formatAuthorization(answerChallenge(nodeDigestHash, options)) };
    });
  }
}
