import { parseReplaces } from '../../wire/sip/header-values.ts';
import { header, type SipHeader } from '../../wire/sip/message.ts';
import { EstablishedCall } from '../call/established-call.ts';
import { IncomingInvite } from '../call/incoming-invite.ts';
import { answerSession } from '../call/session-timer.ts';
import type { SipCore } from '../core.ts';
import type { TokenBuckets } from '../limits/token-buckets.ts';
import { serverKey, type ReceivedRequest } from '../received-request.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { CallerIdentity, IncomingCall, SipLimitName } from '../user-agent.ts';
import type { Answers } from './answers.ts';
import type { CallerAuthentication, StrangersAnswer } from './caller-authentication.ts';
import type { Lookups } from './lookups.ts';
import type { StrangerGuard } from './stranger-guard.ts';

export interface InviteRequestsOptions {
  readonly core: SipCore;
  readonly authentication: CallerAuthentication;
  readonly lookups: Lookups;
  readonly guard: StrangerGuard;
  readonly answers: Answers;
  /** New calls of known callers, one bucket for all: strangers cannot use it up. */
  readonly callRate: TokenBuckets;
  readonly maxDialogs: number;
  onRefused(limit: SipLimitName): void;
}

/** INVITEs outside a dialog, from their arrival until a call is handed up, and the CANCELs that follow them. */
export class InviteRequests {
  readonly #options: InviteRequestsOptions;
  /** INVITEs without a final answer, by their transaction's key. */
  readonly #ringing = new Map<string, IncomingInvite>();
  /**
   * The transaction's key by From tag, Call-ID and CSeq of requests under way: the same by another path is a merged
   * request (8.2.2.2).
   */
  readonly #underWay = new Map<string, string>();
  /** INVITEs of which it is looked up who calls, by the key that their transaction will have. */
  readonly #lookedUp = new Map<string, { isCancelled: boolean }>();
  #onCall: ((call: IncomingCall) => void) | undefined;
  #draining = false;

  constructor(options: InviteRequestsOptions) {
    this.#options = options;
  }

  onCall(handler: (call: IncomingCall) => void): void {
    this.#onCall = handler;
  }

  /** No more calls are taken; those of which it is looked up who calls are still handed up. */
  drain(): void {
    this.#draining = true;
  }

  receive(request: ReceivedRequest): void {
    const { core, lookups, answers, maxDialogs } = this.#options;
    const full = this.#ringing.size + core.dialogs.size >= maxDialogs;
    if (full) return answers.busy(request, 'sip-calls-at-once');
    if (this.#draining || this.#onCall === undefined) return answers.unavailable(request);
    const merge = `${request.fromTag ?? ''}|${request.callId}|${request.cseq}`;
    const { key } = request;
    const known = this.#underWay.get(merge);
    // Its repeat, while it is looked up who calls.
    if (known === key) return;
    if (known !== undefined) return answers.answerStateless(request, 482);
    this.#underWay.set(merge, key);
    const done = (): void => {
      this.#underWay.delete(merge);
    };
    lookups.run(async () => {
      try {
        if (!(await this.#admit(request, done))) done();
      } catch (error) {
        done();
        throw error;
      }
    });
  }

  /** 9.2: hop by hop and never challenged. */
  cancel(request: ReceivedRequest): void {
    const { core, guard, answers } = this.#options;
    const invite = core.layer.inviteOf(request);
    if (invite === undefined) {
      const lookedUp = this.#lookedUp.get(serverKey(request, 'INVITE'));
      if (lookedUp !== undefined) lookedUp.isCancelled = true;
      // It is taken when the tables are full too: one without its INVITE must not fill them further.
      return lookedUp === undefined ? guard.answer(request, 481) : answers.answerStateless(request, 200);
    }
    answers.answer(core.layer.accept(request), 200);
    const ringing = this.#ringing.get(invite.key);
    if (ringing !== undefined) return ringing.giveUp();
    const call = core.dialogs.find(invite.request);
    if (call instanceof EstablishedCall) call.cancelled(invite);
    else if (invite.finalStatus === undefined) answers.answer(invite, 487);
  }

  /** False when the INVITE was answered here. */
  async #admit(request: ReceivedRequest, done: () => void): Promise<boolean> {
    const { core, authentication, answers, callRate } = this.#options;
    const { key } = request;
    const lookedUp = { isCancelled: false };
    this.#lookedUp.set(key, lookedUp);
    let challenge: StrangersAnswer | 'silence' | undefined;
    let trusted: CallerIdentity | undefined;
    try {
      trusted = await authentication.trusted(request);
      challenge = trusted === undefined ? await authentication.strangersAnswer(request) : undefined;
    } finally {
      this.#lookedUp.delete(key);
    }
    if (challenge === 'silence') return false;
    if (lookedUp.isCancelled) {
      // 9.2: its CANCEL was answered already.
      answers.answerStateless(request, 487);
      return false;
    }
    if (challenge !== undefined) {
      answers.answerStateless(request, challenge.status, challenge.headers);
      return false;
    }
    const transaction = core.layer.accept(request);
    return answers.answering(transaction, async () => {
      const caller = trusted ?? (await authentication.byPassword(transaction));
      if (caller === undefined) return false;
      if (!callRate.take('')) {
        this.#options.onRefused('incoming-calls');
        return this.#refuse(transaction, 503, [answers.retryAfter()]);
      }
      return this.#offerCall(transaction, caller, done);
    });
  }

  /** Hands an admitted INVITE up; false when it was answered here. */
  #offerCall(transaction: ServerTransaction, caller: CallerIdentity, done: () => void): boolean {
    const { core, answers } = this.#options;
    const { request } = transaction;
    // CANCEL may have come while the password was looked up.
    if (transaction.finalStatus !== undefined) return false;
    const session = answerSession(request.message);
    if (session.kind === 'too-short') return this.#refuse(transaction, 422, session.headers);
    const replaces = header(request.message, 'Replaces');
    if (replaces !== undefined && !this.#canReplace(replaces)) return this.#refuse(transaction, 481);
    const onDecided = (): void => {
      this.#ringing.delete(transaction.key);
      done();
    };
    const call = IncomingInvite.take({ core, transaction, caller, session, onDecided });
    if (call === undefined) return this.#refuse(transaction, 400, [], 'Missing Contact');
    answers.answer(transaction, 100);
    this.#ringing.set(transaction.key, call);
    try {
      this.#onCall?.(call);
    } catch (error) {
      call.reject(500);
      throw error;
    }
    return true;
  }

  /** RFC 3891 3: what is to be replaced must be a call of ours that goes on. */
  #canReplace(value: string): boolean {
    const replaces = parseReplaces(value);
    if (replaces === undefined) return false;
    const user = this.#options.core.dialogs.get(replaces.callId, replaces.toTag, replaces.fromTag);
    return user instanceof EstablishedCall && !user.isEnded && !replaces.earlyOnly;
  }

  #refuse(transaction: ServerTransaction, status: number, headers: readonly SipHeader[] = [], reason?: string): false {
    this.#options.answers.answer(transaction, status, headers, reason);
    return false;
  }
}
