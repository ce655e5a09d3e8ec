import { after, type Cancel } from '../../base/clock.ts';
import { randomHex } from '../../base/random.ts';
import { tagOf, parseAddress } from '../../wire/sip/address.ts';
import { parseCSeq, parseRetryAfter } from '../../wire/sip/header-values.ts';
import { header, SIP_VERSION, type SipHeader, type SipRequest, type SipResponse } from '../../wire/sip/message.ts';
import { ALLOW, SUPPORTED } from '../abilities.ts';
import { DigestClient } from '../auth/digest-client.ts';
import { contactFor, type SipCore } from '../core.ts';
import { DialogChannel } from '../dialog/dialog-channel.ts';
import { Dialog } from '../dialog/dialog.ts';
import { locate } from '../locate/locate.ts';
import { SipError } from '../sip-error.ts';
import { transactionTimeoutMs } from '../timers.ts';
import type { ClientTransaction } from '../transaction/client-transaction.ts';
import type { Flow, Hop } from '../transport/hop.ts';
import { RedirectTargets } from '../uac/redirect-targets.ts';
import type { ExchangeOutcome } from '../uac/request-sender.ts';
import type { CallFailure, PlaceCall, PlacedCall, PlacedCallHandlers } from '../user-agent.ts';
import { EstablishedCall } from './established-call.ts';
import { SDP_TYPE, sdpOf, toBytes } from './session-description.ts';
import {
  intervalFromResponse,
  minimumAskedBy,
  MIN_SESSION_SECONDS,
  sessionRequestHeaders,
  SESSION_SECONDS,
} from './session-timer.ts';

const TAG_BYTES = 8;
const CALL_ID_BYTES = 16;
const MAX_FORWARDS = 70;
/** Forks of one INVITE that are told apart; a proxy rings a handful of phones. */
const MAX_FORKS = 32;

type Progress =
  | { readonly name: 'calling' }
  /** Given up: CANCEL goes out as soon as it may. */
  | { readonly name: 'cancelling'; readonly cause: 'cancelled' | 'no-answer' }
  | { readonly name: 'over' };

/** One call that goes out: INVITE to each place in turn, forks, redirections, CANCEL (RFC 3261 13.2, 9.1). */
export class OutgoingCall implements PlacedCall {
  readonly callId: string;
  readonly #core: SipCore;
  readonly #options: PlaceCall;
  readonly #handlers: PlacedCallHandlers;
  readonly #digest: DigestClient;
  readonly #localTag: string;
  readonly #offers = new Map<string, Promise<string>>();
  readonly #targets: RedirectTargets;
  /** Answered dialogs by To tag: the first is the call, the others are ended (13.2.2.4). */
  readonly #answered = new Map<string, DialogChannel>();
  #progress: Progress = { name: 'calling' };
  #sequence = 0;
  #invite: ClientTransaction | undefined;
  #session = { seconds: SESSION_SECONDS, minimum: MIN_SESSION_SECONDS };
  /** Session description of a provisional response by To tag, for peers that leave it out of the 2xx. */
  readonly #early = new Map<string, string>();
  #ringTimer: Cancel | undefined;
  #giveUpTimer: Cancel | undefined;
  #breadth: number;
  #tellTimer: Cancel | undefined;
  /** The failure was told; the transaction may still be under way. */
  #told = false;
  #sent = false;

  constructor(core: SipCore, options: PlaceCall, handlers: PlacedCallHandlers) {
    this.#core = core;
    this.#options = options;
    this.#breadth = options.maxBreadth ?? Infinity;
    this.#handlers = handlers;
    this.#localTag = randomHex(core.random, TAG_BYTES);
    this.callId = randomHex(core.random, CALL_ID_BYTES);
    this.#digest = new DigestClient(options.credentials, core.random);
    this.#targets = new RedirectTargets(options.target.uri);
  }

  start(): void {
    this.#ringTimer = after(this.#core.clock, this.#options.ringTimeoutMs, () => this.#giveUp('no-answer'));
    this.#core.tasks.run(async () => {
      try {
        await this.#run();
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'the call could not be made';
        this.#fail({ cause: 'unreachable', status: 503, reason });
        if (!(error instanceof SipError)) throw error;
      }
    });
  }

  cancel(): void {
    this.#giveUp('cancelled');
  }

  async #run(): Promise<void> {
    let uri: string | undefined = this.#options.target.uri;
    let outcome: ExchangeOutcome | undefined;
    let first = true;
    while (uri !== undefined && this.#progress.name === 'calling') {
      if (!first) this.#breadth = Math.floor(this.#breadth / 2);
      if (this.#breadth < 1) break;
      outcome = await this.#call(uri, first);
      first = false;
      if (outcome.kind === 'response') {
        const { status } = outcome.response;
        if (status >= 200 && status < 300) return;
        if (status >= 300 && status < 400) this.#targets.take(outcome.response);
        // 21.6: a 6xx speaks for all places.
        else if (status >= 600) break;
      }
      uri = await this.#nextAllowed();
    }
    this.#fail(this.#failureOf(outcome));
  }

  /** The next place of a redirection that may be followed: whoever redirects must not choose what this server calls. */
  async #nextAllowed(): Promise<string | undefined> {
    const { mayFollow } = this.#options;
    for (let uri = this.#targets.next(); uri !== undefined; uri = this.#targets.next()) {
      if (mayFollow === undefined || (await mayFollow(uri))) return uri;
      this.#core.logger.info({ callId: this.callId, uri }, 'a redirection is not followed: its host is not allowed');
    }
    return undefined;
  }

  /** Calls one URI; a 422 is answered with the longer session that it asks for (RFC 4028 7.4). */
  async #call(uri: string, isOriginal: boolean): Promise<ExchangeOutcome> {
    for (let again = false; ; again = true) {
      const outcome = await this.#core.sender.exchange(
        {
          hops: () => this.#hops(uri, isOriginal),
          compose: (flow) => this.#compose(uri, isOriginal, flow),
          digest: this.#digest,
          pinned: isOriginal && this.#options.target.flow !== undefined,
        },
        {
          started: (transaction) => this.#started(transaction),
          response: (response, transaction) => this.#onResponse(response, transaction),
          stopped: () => this.#progress.name !== 'calling',
        },
      );
      const minimum =
        outcome.kind === 'response' && outcome.response.status === 422 ? minimumAskedBy(outcome.response) : undefined;
      if (minimum === undefined || again) return outcome;
      this.#session = { seconds: Math.max(minimum, SESSION_SECONDS), minimum };
    }
  }

  async #hops(uri: string, isOriginal: boolean): Promise<readonly Hop[]> {
    const { flow, route } = this.#options.target;
    // A phone whose connection is lost may still listen where its Contact says.
    if (isOriginal && flow !== undefined && this.#core.transports.isOpen(flow)) return [flow];
    const nextHop = isOriginal && route?.[0] !== undefined ? parseAddress(route[0])?.uri : undefined;
    return locate(nextHop ?? uri, this.#core.resolver, this.#core.random);
  }

  async #compose(uri: string, isOriginal: boolean, flow: Flow): Promise<SipRequest> {
    const { from, to, headers = [], target, maxForwards = MAX_FORWARDS } = this.#options;
    const offer = await this.#offer(flow.local.address);
    this.#sequence += 1;
    const route = isOriginal ? (target.route ?? []) : [];
    const { seconds, minimum } = this.#session;
    return {
      kind: 'request',
      method: 'INVITE',
      uri,
      version: SIP_VERSION,
      headers: [
        { name: 'Max-Forwards', value: String(maxForwards) },
        ...(Number.isFinite(this.#breadth) ? [{ name: 'Max-Breadth', value: String(this.#breadth) }] : []),
        ...route.map((value): SipHeader => ({ name: 'Route', value })),
        { name: 'From', value: `${from};tag=${this.#localTag}` },
        { name: 'To', value: to },
        { name: 'Call-ID', value: this.callId },
        { name: 'CSeq', value: `${this.#sequence} INVITE` },
        contactFor(flow),
        this.#core.userAgent,
        ALLOW,
        SUPPORTED,
        ...sessionRequestHeaders(seconds, minimum),
        ...headers,
        SDP_TYPE,
      ],
      body: toBytes(offer),
    };
  }

  /** One offer a local address, however often the INVITE is made anew: its number and ports stay (RFC 3264 8). */
  #offer(localAddress: string): Promise<string> {
    const made = this.#offers.get(localAddress) ?? this.#options.offer(localAddress);
    this.#offers.set(localAddress, made);
    return made;
  }

  #started(transaction: ClientTransaction): void {
    this.#invite = transaction;
    if (this.#sent) return;
    this.#sent = true;
    this.#handlers.sent?.({ callId: this.callId });
  }

  #onResponse(response: SipResponse, transaction: ClientTransaction): void {
    if (response.status < 200) this.#onProvisional(response, transaction);
    else if (response.status < 300) this.#onSuccess(response, transaction);
  }

  #onProvisional(response: SipResponse, transaction: ClientTransaction): void {
    if (this.#progress.name === 'cancelling') return this.#sendCancel(transaction);
    // A provisional response that comes after the answer of another fork says nothing any more.
    if (response.status === 100 || this.#progress.name === 'over') return;
    const sdp = sdpOf(response);
    const tag = toTagOf(response);
    if (sdp !== undefined && tag !== undefined && hasRoom(this.#early, tag)) this.#early.set(tag, sdp);
    this.#handlers.progress(response.status, sdp);
  }

  #onSuccess(response: SipResponse, transaction: ClientTransaction): void {
    const sequence = parseCSeq(header(response, 'CSeq') ?? '')?.sequence ?? 0;
    const tag = toTagOf(response) ?? '';
    const known = this.#answered.get(tag);
    if (known !== undefined) return known.acknowledge(transaction.request, sequence);
    if (!hasRoom(this.#answered, tag)) return;
    const channel = this.#channel(response, transaction);
    if (channel === undefined) return;
    this.#answered.set(tag, channel);
    channel.acknowledge(transaction.request, sequence);
    const sdp = sdpOf(response) ?? this.#early.get(tag);
    if (this.#progress.name === 'calling' && sdp !== undefined) return this.#establish(response, channel, sdp);
    // 13.2.2.4, 9.1: another fork, a 2xx that crossed our CANCEL, or an answer without its session description.
    this.#core.tasks.run(async () => {
      await channel.request({ method: 'BYE' });
    });
    if (this.#progress.name === 'calling')
      this.#fail({ cause: 'rejected', status: 488, reason: 'answered without SDP' });
    else if (this.#progress.name === 'cancelling') this.#fail(this.#failureOf(undefined));
  }

  #establish(response: SipResponse, channel: DialogChannel, sdp: string): void {
    this.#finish();
    const call = new EstablishedCall({
      core: this.#core,
      channel,
      ownsCallId: true,
      localSdp: new TextDecoder().decode(this.#invite?.request.body),
      peer: response,
      interval: intervalFromResponse(response),
    });
    this.#handlers.answered(call, sdp);
  }

  #channel(response: SipResponse, transaction: ClientTransaction): DialogChannel | undefined {
    const dialog = Dialog.forCaller(transaction.request, response);
    if (dialog === undefined) return undefined;
    // A registered flow is the only sure way to its phone, unless proxies stay in the path.
    const pinned = this.#options.target.flow !== undefined && dialog.routeSet.length === 0;
    return new DialogChannel({ core: this.#core, dialog, digest: this.#digest, flow: transaction.flow, pinned });
  }

  #giveUp(cause: 'cancelled' | 'no-answer'): void {
    if (this.#progress.name !== 'calling') return;
    this.#progress = { name: 'cancelling', cause };
    this.#ringTimer?.();
    // Whoever gave up waits one round trip for the peer's word. A phone that is switched off never says one, and its
    // transaction is seen to its end without them.
    this.#tellTimer = after(this.#core.clock, this.#core.timers.t1Ms, () => this.#tell(this.#failureOf(undefined)));
    const invite = this.#invite;
    if (invite === undefined || invite.isOver) return;
    // 9.1: a peer that answers neither the INVITE nor the CANCEL is not waited for longer than 64*T1.
    const limitMs = transactionTimeoutMs(this.#core.timers);
    this.#giveUpTimer = after(this.#core.clock, limitMs, () => invite.drop());
    this.#sendCancel(invite);
  }

  #sendCancel(invite: ClientTransaction): void {
    this.#core.layer.cancel(invite);
  }

  #failureOf(outcome: ExchangeOutcome | undefined): CallFailure {
    const response = outcome?.kind === 'response' ? outcome.response : undefined;
    if (this.#progress.name === 'cancelling') {
      const { cause } = this.#progress;
      const status = response?.status ?? 487;
      return { cause, status, reason: response?.reason ?? 'Request Terminated' };
    }
    if (response !== undefined) {
      const seconds = parseRetryAfter(header(response, 'Retry-After') ?? '');
      const retry = seconds === undefined ? {} : { retryAfterMs: seconds * 1000 };
      return { cause: 'rejected', status: response.status, reason: response.reason, ...retry };
    }
    if (outcome?.kind === 'failed' && outcome.cause === 'timeout') {
      return { cause: 'timeout', status: 408, reason: outcome.detail };
    }
    return {
      cause: 'unreachable',
      status: 503,
      reason: outcome?.kind === 'failed' ? outcome.detail : 'no place to call',
    };
  }

  #fail(failure: CallFailure): void {
    if (this.#progress.name === 'over') return;
    this.#finish();
    this.#tell(failure);
  }

  #tell(failure: CallFailure): void {
    if (this.#told) return;
    this.#told = true;
    this.#handlers.failed(failure);
  }

  #finish(): void {
    this.#progress = { name: 'over' };
    this.#ringTimer?.();
    this.#giveUpTimer?.();
    this.#tellTimer?.();
  }
}

function toTagOf(response: SipResponse): string | undefined {
  const to = parseAddress(header(response, 'To') ?? '');
  return to === undefined ? undefined : tagOf(to);
}

function hasRoom(forks: ReadonlyMap<string, unknown>, tag: string): boolean {
  return forks.has(tag) || forks.size < MAX_FORKS;
}
