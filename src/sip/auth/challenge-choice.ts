import type { DigestAlgorithm } from '../../wire/sip/digest.ts';
import { header } from '../../wire/sip/message.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import type { ReceivedRequest } from '../received-request.ts';

/** RFC 8760 2.4: best first. */
const ALL: readonly DigestAlgorithm[] = ['SHA-256', 'MD5'];
/** What every phone knows. */
const OLD: readonly DigestAlgorithm[] = ['MD5'];
const MAX_REMEMBERED = 20_000;

/**
 * Clients that give up at a challenge they do not know, instead of taking the next one (RFC 8760 2.4): old baresip, and
 * the simple ones that do not even say who they are, such as SIPp.
 */
const STUMBLES = /^$|^baresip v[01]\./;

interface Memory {
  /** Names the request that was challenged last. */
  readonly request: string;
  readonly oldOnly: boolean;
}

/**
 * Which algorithms a challenge offers. SHA-256 and MD5 as RFC 8760 wants; MD5 alone to phones that are known to stumble
 * over the first, and to whoever was offered both and, instead of an answer, sent its request anew.
 */
export class ChallengeChoice {
  readonly #memory = new Map<string, Memory>();

  offer(request: ReceivedRequest): readonly DigestAlgorithm[] {
    if (STUMBLES.test(header(request.message, 'User-Agent') ?? '')) return OLD;
    const phone = phoneOf(request);
    const name = `${request.callId} ${request.cseq}`;
    const before = this.#memory.get(phone);
    const oldOnly = before !== undefined && (before.oldOnly || before.request !== name);
    this.#remember(phone, { request: name, oldOnly });
    return oldOnly ? OLD : ALL;
  }

  /** The phone answered a challenge: it knows what it is offered. */
  answered(request: ReceivedRequest, algorithm: DigestAlgorithm): void {
    if (this.#memory.size === 0) return;
    const phone = phoneOf(request);
    if (algorithm !== 'MD5' || this.#memory.get(phone)?.oldOnly === false) this.#memory.delete(phone);
  }

  #remember(phone: string, memory: Memory): void {
    const oldest = this.#memory.size >= MAX_REMEMBERED ? this.#memory.keys().next().value : undefined;
    if (oldest !== undefined) this.#memory.delete(oldest);
    this.#memory.set(phone, memory);
  }
}

function phoneOf(request: ReceivedRequest): string {
  return `${request.flow.remote.address} ${parseSipUri(request.from.uri)?.user ?? ''}`;
}
