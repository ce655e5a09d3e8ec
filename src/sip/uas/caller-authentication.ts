import type { SipHeader } from '../../wire/sip/message.ts';
import type { Gatekeeper } from '../auth/gatekeeper.ts';
import type { Realms } from '../auth/realms.ts';
import type { TokenBuckets } from '../limits/token-buckets.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Admission, CallerIdentity, SipLimitName } from '../user-agent.ts';
import type { Answers } from './answers.ts';
import type { StrangerGuard } from './stranger-guard.ts';

export interface CallerAuthenticationOptions {
  readonly admission: Admission;
  readonly gatekeeper: Gatekeeper;
  readonly realms: Realms;
  readonly guard: StrangerGuard;
  readonly answers: Answers;
  /** Calls without credentials, by address: each costs a challenge. */
  readonly strangerRate: TokenBuckets;
  onRefused(limit: SipLimitName): void;
}

export interface StrangersAnswer {
  readonly status: number;
  readonly headers: readonly SipHeader[];
}

/** Who sends a request that wants something of an application: told by its address, else by its password. */
export class CallerAuthentication {
  readonly #options: CallerAuthenticationOptions;

  constructor(options: CallerAuthenticationOptions) {
    this.#options = options;
  }

  /** Who sends a request, where its address alone says so. */
  trusted({ flow }: ReceivedRequest): Promise<CallerIdentity | undefined> {
    return this.#options.admission.trustedPeer(flow.remote, flow.transport);
  }

  /**
   * What somebody unknown who calls and shows no password gets; undefined for whoever shows one. Nothing is remembered of
   * them, and nothing repeated to them: a flood of forged INVITEs neither fills the memory nor is multiplied towards
   * whoever's address they bear.
   */
  async strangersAnswer(request: ReceivedRequest): Promise<StrangersAnswer | 'silence' | undefined> {
    const { gatekeeper, realms, guard, answers, strangerRate } = this.#options;
    const realm = await realms.of(request.from.uri);
    if (guard.isHeldBack(request)) return 'silence';
    if (gatekeeper.presented(request, realm) !== undefined) return undefined;
    if (!strangerRate.take(request.flow.remote.address)) {
      this.#options.onRefused('strangers-calls');
      return { status: 503, headers: [answers.retryAfter()] };
    }
    guard.count(request);
    return gatekeeper.challenge(request, realm, 'proxy');
  }

  /** Who sends a request by its password; undefined when it was answered with a challenge. */
  async byPassword(transaction: ServerTransaction): Promise<CallerIdentity | undefined> {
    const { gatekeeper, realms, guard, answers } = this.#options;
    const { request } = transaction;
    const realm = await realms.of(request.from.uri);
    const verdict = await gatekeeper.judge(request, realm, 'proxy');
    guard.countVerdict(request, verdict);
    if (verdict.kind === 'proven') {
      const { accountSid, username } = verdict.credential;
      return { kind: 'phone', accountSid, username, domain: realm };
    }
    if (transaction.finalStatus !== undefined) return undefined;
    answers.answer(transaction, verdict.status, verdict.headers);
    return undefined;
  }
}
