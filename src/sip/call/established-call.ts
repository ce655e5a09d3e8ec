import { after, sleep } from '../../base/clock.ts';
import { deferred, type Deferred } from '../../base/deferred.ts';
import type { Endpoint } from '../../base/network.ts';
import { randomInteger } from '../../base/random.ts';
import { mediaType } from '../../wire/sip/header-values.ts';
import { header, headers, type SipHeader, type SipMessage, type SipResponse } from '../../wire/sip/message.ts';
import { tokenList } from '../../wire/sip/parameters.ts';
import { ALLOW, SUPPORTED } from '../abilities.ts';
import { contactFor, type SipCore } from '../core.ts';
import type { DialogChannel } from '../dialog/dialog-channel.ts';
import type { DialogUser } from '../dialog/dialog-table.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { SipError } from '../sip-error.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { ExchangeOutcome } from '../uac/request-sender.ts';
import type { SipCall, SipCallEvent } from '../user-agent.ts';
import { SDP_TYPE, sdpOf, textOf, toBytes } from './session-description.ts';
import {
  answerSession,
  intervalFromResponse,
  minimumAskedBy,
  MIN_SESSION_SECONDS,
  sessionRequestHeaders,
  SESSION_SECONDS,
  SessionTimer,
  type SessionInterval,
} from './session-timer.ts';
import { SuccessRepeater } from './success-repeater.ts';
import { ReferReceiver, ReferSender } from './transfer.ts';

/** How often a re-INVITE that met the peer's own is tried again (RFC 3261 14.1). */
const MAX_GLARE_RETRIES = 4;
/** The owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s: so one of them comes first. */
const OWNER_GLARE_MS = [2_100, 4_000] as const;
const OTHER_GLARE_MS = [0, 2_000] as const;
const GLARE_STEP_MS = 10;
const MAX_RETRY_AFTER_SECONDS = 10;
/** Events kept until somebody listens. */
const MAX_WAITING_EVENTS = 32;

export interface EstablishedCallOptions {
  readonly core: SipCore;
  readonly channel: DialogChannel;
  /** This side made the Call-ID: it placed the call. */
  readonly ownsCallId: boolean;
  /** Our latest session description, sent again where a refresh needs one. */
  readonly localSdp: string;
  /** The peer's INVITE or 2xx: what it says it can do. */
  readonly peer: SipMessage;
  readonly interval: SessionInterval | undefined;
}

type OfferOutcome = { readonly kind: 'answer'; readonly sdp: string } | { readonly kind: 'glare' };

/** A confirmed dialog with a session: everything that happens between the ACK and the BYE. */
export class EstablishedCall implements SipCall, DialogUser {
  readonly callId: string;
  readonly dialogId: string;
  readonly remote: Endpoint;
  readonly localAddress: string;
  readonly #core: SipCore;
  readonly #channel: DialogChannel;
  readonly #ownsCallId: boolean;
  readonly #updateAllowed: boolean;
  readonly #timer: SessionTimer;
  readonly #referSender: ReferSender;
  readonly #referReceiver: ReferReceiver;
  #localSdp: string;
  #handler: ((event: SipCallEvent) => void) | undefined;
  #waiting: SipCallEvent[] = [];
  #ended = false;
  #hangup: Promise<void> | undefined;
  /** Our INVITE or UPDATE is under way. */
  #offering = false;
  /** The peer's INVITE that awaits our answer, or whose ACK is awaited. */
  #answering: ServerTransaction | undefined;
  #success: { readonly repeater: SuccessRepeater; readonly offered: boolean } | undefined;
  /** Settles when the peer acknowledged the call's first 2xx; a callee sends no BYE before (15). */
  #acknowledged: Deferred<string | undefined> | undefined;

  constructor(options: EstablishedCallOptions) {
    const { core, channel } = options;
    this.#core = core;
    this.#channel = channel;
    this.#ownsCallId = options.ownsCallId;
    this.#localSdp = options.localSdp;
    this.callId = channel.dialog.callId;
    this.dialogId = channel.dialog.key;
    this.remote = channel.flow.remote;
    this.localAddress = channel.flow.local.address;
    this.#updateAllowed = tokenList(headers(options.peer, 'Allow')).includes('UPDATE');
    this.#timer = new SessionTimer({
      clock: core.clock,
      refresh: () => core.tasks.run(() => this.#refresh()),
      expired: () => this.#end({ kind: 'ended', by: 'session-timer', reason: 'the session was not refreshed' }, true),
    });
    this.#timer.restart(options.interval);
    this.#referSender = new ReferSender({ core, channel });
    this.#referReceiver = new ReferReceiver({ core, channel, emit: (event) => this.#emit(event) });
    core.dialogs.add(channel.dialog.key, this);
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  onEvent(handler: (event: SipCallEvent) => void): void {
    this.#handler = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) handler(event);
  }

  /**
   * The callee's side: sends the 2xx and repeats it until the ACK. Resolves with the session description in the ACK when
   * the 2xx carried our offer; rejects with SipError `no-ack` after the BYE that RFC 3261 13.3.1.4 asks for then.
   */
  confirm(transaction: ServerTransaction, response: SipResponse, offered: boolean): Promise<string | undefined> {
    this.#acknowledged = deferred();
    // Whoever gives the call up before its answer may leave this promise alone.
    this.#acknowledged.promise.catch(() => undefined);
    this.#sendSuccess(transaction, response, offered);
    return this.#acknowledged.promise;
  }

  hangup(reason?: string): Promise<void> {
    if (this.#hangup !== undefined) return this.#hangup;
    if (this.#ended) return Promise.resolve();
    this.#hangup = this.#hangUp(reason);
    return this.#hangup;
  }

  async reinvite(offer: string): Promise<string> {
    for (let attempt = 0; attempt <= MAX_GLARE_RETRIES; attempt += 1) {
      if (attempt > 0) await sleep(this.#core.clock, this.#glareDelayMs());
      if (this.#ended) throw new SipError('ended', 'the call has ended', { status: 481 });
      if (this.#offering || this.#answering !== undefined) continue;
      const outcome = await this.#offer(offer);
      if (outcome.kind === 'answer') return outcome.sdp;
    }
    throw new SipError('glare', 'both sides go on changing the call: try again later', { status: 491 });
  }

  async info(contentType: string, body: string): Promise<number> {
    const content = { name: 'Content-Type', value: contentType };
    const response = await this.#ask('INFO', [content], toBytes(body));
    return response.status;
  }

  async refer(referTo: string): Promise<number> {
    const sequence = await this.#referSender.send(referTo, (method, extra) => this.#ask(method, extra));
    return sequence;
  }

  receive(request: ReceivedRequest, transaction: ServerTransaction): void {
    if (!this.#channel.dialog.takeSequence(request.cseq)) {
      // 12.2.2: out of order.
      return this.#respond(transaction, 500, [], 'CSeq Out Of Order');
    }
    switch (request.method) {
      case 'BYE':
        return this.#onBye(transaction);
      case 'INVITE':
        return this.#onReinvite(request, transaction);
      case 'UPDATE':
        return this.#onUpdate(request, transaction);
      case 'INFO':
        return this.#onInfo(request, transaction);
      case 'REFER':
        return this.#referReceiver.receive(request, transaction);
      case 'NOTIFY':
        return this.#respond(transaction, this.#referSender.notified(request) ? 200 : 481);
      case 'OPTIONS':
        return this.#respond(transaction, 200, [ALLOW, SUPPORTED]);
      default:
        return this.#respond(transaction, 405, [ALLOW]);
    }
  }

  acknowledge(request: ReceivedRequest): void {
    const success = this.#success;
    if (success === undefined || success.repeater.sequence !== request.cseq || !success.repeater.acknowledge()) return;
    this.#success = undefined;
    this.#answering = undefined;
    const sdp = success.offered ? sdpOf(request.message) : undefined;
    const first = this.#acknowledged;
    this.#acknowledged = undefined;
    if (first !== undefined) first.resolve(sdp);
    else if (sdp !== undefined) this.#emit({ kind: 'answer', sdp });
  }

  /** CANCEL of a re-INVITE that was not answered yet. */
  cancelled(transaction: ServerTransaction): void {
    if (this.#answering !== transaction || transaction.finalStatus !== undefined) return;
    this.#respond(transaction, 487);
    this.#answering = undefined;
  }

  #onBye(transaction: ServerTransaction): void {
    this.#respond(transaction, 200);
    const reason = header(transaction.request.message, 'Reason');
    this.#end({ kind: 'ended', by: 'remote', ...(reason === undefined ? {} : { reason }) }, false);
  }

  #onReinvite(request: ReceivedRequest, transaction: ServerTransaction): void {
    // 14.2: one INVITE at a time; ours under way is glare.
    if (this.#answering !== undefined) return this.#busy(transaction);
    if (this.#offering) return this.#respond(transaction, 491);
    const session = answerSession(request.message);
    if (session.kind === 'too-short') return this.#respond(transaction, 422, session.headers);
    this.#answering = transaction;
    this.#respond(transaction, 100);
    const offer = sdpOf(request.message);
    this.#emit({
      kind: 'offer',
      offer,
      answer: (sdp) => {
        if (this.#answering !== transaction || transaction.finalStatus !== undefined) return;
        this.#channel.dialog.refreshTarget(request.message);
        this.#localSdp = sdp;
        this.#timer.restart(session.interval);
        const extra = [contactFor(request.flow), ALLOW, SUPPORTED, ...session.headers, SDP_TYPE];
        const response = this.#core.responses.make(request, 200, { headers: extra, body: toBytes(sdp) });
        this.#sendSuccess(transaction, response, offer === undefined);
      },
      refuse: (status) => {
        if (this.#answering !== transaction || transaction.finalStatus !== undefined) return;
        this.#answering = undefined;
        this.#respond(transaction, status);
      },
    });
  }

  /** RFC 3311 5.2: answered at once; with an offer it must not meet another one. */
  #onUpdate(request: ReceivedRequest, transaction: ServerTransaction): void {
    const offer = sdpOf(request.message);
    const session = answerSession(request.message);
    if (session.kind === 'too-short') return this.#respond(transaction, 422, session.headers);
    const accept = (sdp?: string): void => {
      this.#channel.dialog.refreshTarget(request.message);
      this.#timer.restart(session.interval);
      if (sdp !== undefined) this.#localSdp = sdp;
      const content = sdp === undefined ? {} : { body: toBytes(sdp) };
      const type = sdp === undefined ? [] : [SDP_TYPE];
      const extra = [contactFor(request.flow), ALLOW, SUPPORTED, ...session.headers, ...type];
      transaction.respond(this.#core.responses.make(request, 200, { headers: extra, ...content }));
    };
    if (offer === undefined) return accept();
    if (this.#answering !== undefined) return this.#busy(transaction);
    if (this.#offering) return this.#respond(transaction, 491);
    this.#answering = transaction;
    const once = (act: () => void): void => {
      if (this.#answering !== transaction) return;
      this.#answering = undefined;
      act();
    };
    this.#emit({
      kind: 'offer',
      offer,
      answer: (sdp) => once(() => accept(sdp)),
      refuse: (status) => once(() => this.#respond(transaction, status)),
    });
  }

  #onInfo(request: ReceivedRequest, transaction: ServerTransaction): void {
    this.#respond(transaction, 200);
    const contentType = mediaType(header(request.message, 'Content-Type') ?? '');
    if (contentType !== undefined) this.#emit({ kind: 'info', contentType, body: textOf(request.message) });
  }

  #busy(transaction: ServerTransaction): void {
    const seconds = randomInteger(this.#core.random, 0, MAX_RETRY_AFTER_SECONDS);
    this.#respond(transaction, 500, [{ name: 'Retry-After', value: String(seconds) }]);
  }

  #respond(transaction: ServerTransaction, status: number, extra: readonly SipHeader[] = [], reason?: string): void {
    const options = reason === undefined ? { headers: extra } : { headers: extra, reason };
    transaction.respond(this.#core.responses.make(transaction.request, status, options));
  }

  #sendSuccess(transaction: ServerTransaction, response: SipResponse, offered: boolean): void {
    const { clock, timers } = this.#core;
    const onGivenUp = (): void => {
      this.#success = undefined;
      const first = this.#acknowledged;
      this.#acknowledged = undefined;
      const error = new SipError('no-ack', 'the answer was never acknowledged: the call is ended', { status: 408 });
      first?.reject(error);
      this.#end({ kind: 'ended', by: 'failure', reason: error.message }, true);
    };
    this.#answering = transaction;
    this.#success = { repeater: new SuccessRepeater({ transaction, response, clock, timers, onGivenUp }), offered };
  }

  /** One re-INVITE, from the request to the ACK. */
  async #offer(sdp: string): Promise<OfferOutcome> {
    this.#offering = true;
    let answer: string | undefined;
    const send = (seconds: number, minimum: number): Promise<ExchangeOutcome> =>
      this.#channel.request(
        {
          method: 'INVITE',
          headers: [ALLOW, SUPPORTED, ...sessionRequestHeaders(seconds, minimum), SDP_TYPE],
          body: toBytes(sdp),
        },
        {
          response: (response, { request }) => {
            if (response.status < 200 || response.status >= 300) return;
            const sequence = Number.parseInt(header(request, 'CSeq') ?? '', 10);
            this.#channel.dialog.refreshTarget(response);
            this.#channel.acknowledge(request, sequence);
            answer = sdpOf(response);
          },
        },
      );
    try {
      const outcome = await withLongerSession(send);
      if (outcome.kind === 'response' && outcome.response.status === 491) return { kind: 'glare' };
      const response = this.#successOf(outcome, 're-INVITE');
      this.#localSdp = sdp;
      this.#timer.restart(intervalFromResponse(response));
      if (answer === undefined)
        throw new SipError('rejected', 'the re-INVITE was answered without SDP', { status: 488 });
      return { kind: 'answer', sdp: answer };
    } finally {
      this.#offering = false;
    }
  }

  async #refresh(): Promise<void> {
    if (this.#ended) return;
    try {
      if (!this.#updateAllowed) {
        await this.reinvite(this.#localSdp);
        return;
      }
      const send = (seconds: number, minimum: number): Promise<ExchangeOutcome> =>
        this.#channel.request({
          method: 'UPDATE',
          headers: [SUPPORTED, ...sessionRequestHeaders(seconds, minimum, 'uac')],
        });
      const response = this.#successOf(await withLongerSession(send), 'UPDATE');
      this.#channel.dialog.refreshTarget(response);
      this.#timer.restart(intervalFromResponse(response));
    } catch (error) {
      // A refresh that failed leaves the session as it is until it expires (RFC 4028 10).
      if (!(error instanceof SipError)) throw error;
      this.#core.logger.info({ callId: this.callId, error: error.message }, 'a session refresh failed');
    }
  }

  /** A request that changes no session. */
  async #ask(method: string, extra: readonly SipHeader[], body?: Uint8Array): Promise<SipResponse> {
    if (this.#ended) throw new SipError('ended', 'the call has ended', { status: 481 });
    const outcome = await this.#channel.request({ method, headers: extra, ...(body && { body }) });
    if (outcome.kind !== 'response') return this.#successOf(outcome, method);
    this.#endWhenGone(outcome.response.status);
    return outcome.response;
  }

  #successOf(outcome: ExchangeOutcome, what: string): SipResponse {
    if (outcome.kind !== 'response') {
      const timeout = outcome.kind === 'failed' && outcome.cause === 'timeout';
      this.#endWhenGone(timeout ? 408 : 503);
      const detail = outcome.kind === 'failed' ? outcome.detail : 'stopped';
      throw new SipError(timeout ? 'timeout' : 'unreachable', `${what}: ${detail}`, { status: timeout ? 408 : 503 });
    }
    const { status, reason } = outcome.response;
    if (status < 300) return outcome.response;
    this.#endWhenGone(status);
    throw new SipError('rejected', `${what} was refused: ${status} ${reason}`, { status });
  }

  /** 12.2.1.2: 481 and 408 to a request within the dialog end it. */
  #endWhenGone(status: number): void {
    if (status !== 481 && status !== 408) return;
    this.#end({ kind: 'ended', by: 'failure', reason: `the peer answered ${status}` }, true);
  }

  async #hangUp(reason?: string): Promise<void> {
    const pending = this.#acknowledged;
    if (pending !== undefined) {
      await pending.promise.catch(() => undefined);
      if (this.#ended) return;
    }
    this.#close();
    await this.#bye(reason);
  }

  async #bye(reason?: string): Promise<void> {
    const cause = reason?.replaceAll(/["\\\r\n]/g, ' ');
    const extra = cause === undefined ? [] : [{ name: 'Reason', value: `SIP;text="${cause}"` }];
    try {
      await this.#channel.request({ method: 'BYE', headers: extra });
    } finally {
      this.#leave();
    }
  }

  #end(event: SipCallEvent & { readonly kind: 'ended' }, withBye: boolean): void {
    if (this.#ended) return;
    this.#close();
    this.#emit(event);
    if (withBye) this.#core.tasks.run(() => this.#bye());
    else this.#leave();
  }

  /** No more session: pending requests of the peer get 487 (15.1.2). */
  #close(): void {
    this.#ended = true;
    this.#timer.stop();
    this.#success?.repeater.stop();
    this.#success = undefined;
    // The peer's BYE says that our 2xx arrived, even when its ACK did not.
    this.#acknowledged?.resolve(undefined);
    this.#acknowledged = undefined;
    const answering = this.#answering;
    this.#answering = undefined;
    if (answering !== undefined && answering.finalStatus === undefined) this.#respond(answering, 487);
  }

  /** The dialog stays a while for what is still on its way: a repeated 2xx, a NOTIFY. */
  #leave(): void {
    this.#referSender.close();
    after(this.#core.clock, this.#core.timers.t4Ms, () => this.#core.dialogs.remove(this.#channel.dialog.key, this));
  }

  #emit(event: SipCallEvent): void {
    if (this.#handler !== undefined) this.#handler(event);
    else if (this.#waiting.length < MAX_WAITING_EVENTS) this.#waiting.push(event);
  }

  #glareDelayMs(): number {
    const [low, high] = this.#ownsCallId ? OWNER_GLARE_MS : OTHER_GLARE_MS;
    return randomInteger(this.#core.random, low / GLARE_STEP_MS, high / GLARE_STEP_MS) * GLARE_STEP_MS;
  }
}

/** Sends with our session interval, and once more with the longer one that a 422 asks for (RFC 4028 7.4). */
async function withLongerSession(
  send: (seconds: number, minimum: number) => Promise<ExchangeOutcome>,
): Promise<ExchangeOutcome> {
  const outcome = await send(SESSION_SECONDS, MIN_SESSION_SECONDS);
  if (outcome.kind !== 'response' || outcome.response.status !== 422) return outcome;
  const minimum = minimumAskedBy(outcome.response);
  return minimum === undefined ? outcome : send(Math.max(SESSION_SECONDS, minimum), minimum);
}
