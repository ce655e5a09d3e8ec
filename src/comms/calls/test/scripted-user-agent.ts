import { after, type Cancel } from '../../../base/clock.ts';
import { deferred } from '../../../base/deferred.ts';
import type { VirtualClock } from '../../../base/virtual-clock.ts';
import { SipError } from '../../../sip/sip-error.ts';
import type {
  CallerIdentity,
  CallFailure,
  IncomingCall,
  PlaceCall,
  PlacedCall,
  PlacedCallHandlers,
  RegisteredContact,
  SipCall,
  SipCallEvent,
  UserAgent,
} from '../../../sip/user-agent.ts';
import type { SipHeader, SipRequest } from '../../../wire/sip/message.ts';

/** What a device does when it is called. */
export type Behaviour = (attempt: Attempt) => void;

/** Answers `answerMs` after it began to ring. */
export function answering(answerMs = 1000): Behaviour {
  return (attempt) => {
    attempt.progress(180);
    attempt.at(answerMs, () => attempt.answer());
  };
}

export function refusing(status: number, afterMs = 100): Behaviour {
  return (attempt) =>
    attempt.at(afterMs, () => attempt.fail({ cause: 'rejected', status, reason: `status ${status}` }));
}

export const ringingOnly: Behaviour = (attempt) => attempt.progress(180);

let callIds = 0;

/** SIP without messages: devices behave as they are told, callers are made by the test. */
export class ScriptedUserAgent implements UserAgent {
  readonly addresses = { udp: { address: '127.0.0.1', port: 5060 }, tcp: { address: '127.0.0.1', port: 5060 } };
  readonly attempts: Attempt[] = [];
  /** By the user part of the Request-URI. */
  readonly behaviours = new Map<string, Behaviour>();
  draining = false;
  readonly #clock: VirtualClock;
  #onIncoming: ((call: IncomingCall) => void) | undefined;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  placeCall(options: PlaceCall, handlers: PlacedCallHandlers): PlacedCall {
    const attempt = new Attempt(options, handlers, this.#clock);
    this.attempts.push(attempt);
    attempt.begin(this.behaviours.get(attempt.user) ?? refusing(404));
    return attempt;
  }

  onIncomingCall(handler: (call: IncomingCall) => void): void {
    this.#onIncoming = handler;
  }

  receive(options: CallerOptions): Caller {
    const caller = new Caller(options);
    this.#onIncoming?.(caller);
    return caller;
  }

  onMessage(): void {
    // No messages here.
  }

  free(): readonly [] {
    return [];
  }

  heldBack(): readonly [] {
    return [];
  }

  registerTrunk(): never {
    throw new Error('not scripted');
  }

  bindings(): Promise<readonly RegisteredContact[]> {
    return Promise.resolve([]);
  }

  drain(): void {
    this.draining = true;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One INVITE that the service sent. */
export class Attempt implements PlacedCall {
  readonly callId = `call-id ${callIds++}`;
  readonly options: PlaceCall;
  readonly sipCall: ScriptedSipCall;
  offer: string | undefined;
  cancelled = false;
  readonly #handlers: PlacedCallHandlers;
  readonly #clock: VirtualClock;
  #over = false;
  #ringTimer: Cancel = () => undefined;

  constructor(options: PlaceCall, handlers: PlacedCallHandlers, clock: VirtualClock) {
    this.options = options;
    this.#handlers = handlers;
    this.#clock = clock;
    this.sipCall = new ScriptedSipCall(this.callId);
  }

  get user(): string {
    return this.options.target.uri.replace(/^sips?:/, '').split(/[@;]/)[0] ?? '';
  }

  /** Digits of who is shown as the caller. */
  get from(): string {
    return /<sip:([^@>]*)/.exec(this.options.from)?.[1] ?? '';
  }

  begin(behaviour: Behaviour): void {
    this.#ringTimer = after(this.#clock, this.options.ringTimeoutMs, () =>
      this.fail({ cause: 'no-answer', status: 408, reason: 'Request Timeout' }),
    );
    this.options.offer('127.0.0.1').then(
      (offer) => {
        this.offer = offer;
        if (!this.#over) behaviour(this);
      },
      (error: Error) => this.fail({ cause: 'unreachable', status: 503, reason: error.message }),
    );
  }

  at(afterMs: number, fn: () => void): void {
    after(this.#clock, afterMs, fn);
  }

  progress(status: number, sdp?: string): void {
    if (!this.#over) this.#handlers.progress(status, sdp);
  }

  answer(sdp = 'answer'): void {
    if (this.#end()) this.#handlers.answered(this.sipCall, sdp);
  }

  fail(failure: CallFailure): void {
    if (this.#end()) this.#handlers.failed(failure);
  }

  cancel(): void {
    this.cancelled = true;
    this.fail({ cause: 'cancelled', status: 487, reason: 'Request Terminated' });
  }

  /** The 2xx crosses the CANCEL: the engine hands over the answered call all the same. */
  answerInSpiteOfCancel(): void {
    this.#handlers.answered(this.sipCall, 'answer');
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#ringTimer();
    return true;
  }
}

/** A dialog whose far end is played by the test. */
export class ScriptedSipCall implements SipCall {
  readonly callId: string;
  readonly dialogId: string;
  readonly remote = { address: '192.0.2.1', port: 5060 };
  readonly localAddress = '127.0.0.1';
  /** We sent BYE. */
  ended = false;
  /** The BYE is never answered. */
  deaf = false;
  #handler: ((event: SipCallEvent) => void) | undefined;
  readonly #waiting: SipCallEvent[] = [];

  constructor(callId: string) {
    this.callId = callId;
    this.dialogId = `${callId}|ours|theirs`;
  }

  hangup(): Promise<void> {
    this.ended = true;
    return this.deaf ? new Promise(() => undefined) : Promise.resolve();
  }

  reinvite(): Promise<string> {
    return Promise.reject(new SipError('rejected', 'not scripted', { status: 488 }));
  }

  info(): Promise<number> {
    return Promise.resolve(200);
  }

  refer(): Promise<number> {
    return Promise.resolve(200);
  }

  onEvent(handler: (event: SipCallEvent) => void): void {
    this.#handler = handler;
    for (const event of this.#waiting.splice(0)) handler(event);
  }

  /** The person at the far end hangs up. */
  leave(): void {
    this.emit({ kind: 'ended', by: 'remote' });
  }

  emit(event: SipCallEvent): void {
    if (this.#handler === undefined) this.#waiting.push(event);
    else this.#handler(event);
  }

  /** REFER: what was answered and notified, in order. */
  refers(referTo: string, replacesDialog?: string): string[] {
    const log: string[] = [];
    this.emit({
      kind: 'refer',
      referTo,
      ...(replacesDialog === undefined ? {} : { replacesDialog }),
      accept: () => {
        log.push('202');
        return { notify: (status, reason) => void log.push(`notify ${status} ${reason}`) };
      },
      refuse: (status) => void log.push(`refused ${status}`),
    });
    return log;
  }
}

export interface CallerOptions {
  readonly uri: string;
  readonly from?: string;
  readonly caller?: CallerIdentity;
  readonly headers?: readonly SipHeader[];
  readonly offer?: string | undefined;
  /** No ACK comes. */
  readonly deaf?: boolean;
}

/** Somebody who calls in. */
export class Caller implements IncomingCall {
  readonly callId = `call-id ${callIds++}`;
  readonly dialogId = `${this.callId}|ours|theirs`;
  readonly request: SipRequest;
  readonly source = { address: '192.0.2.7', port: 5060 };
  readonly transport = 'udp';
  readonly localAddress = '127.0.0.1';
  readonly caller: CallerIdentity;
  readonly offer: string | undefined;
  readonly sipCall: ScriptedSipCall;
  /** Statuses that the service sent. */
  readonly heard: string[] = [];
  readonly #deaf: boolean;
  readonly #cancelled = deferred<void>();
  #decided = false;
  #onCancelled: (() => void) | undefined;
  #gaveUp = false;

  constructor(options: CallerOptions) {
    this.request = {
      kind: 'request',
      method: 'INVITE',
      uri: options.uri,
      version: 'SIP/2.0',
      headers: [
        { name: 'From', value: `<${options.from ?? 'sip:alice@home.tandem'}>;tag=1` },
        ...(options.headers ?? []),
      ],
      body: new Uint8Array(),
    };
    this.caller = options.caller ?? {
      kind: 'phone',
      accountSid: `AC${'0'.repeat(32)}`,
      username: 'alice',
      domain: 'home.tandem',
    };
    this.offer = 'offer' in options ? options.offer : 'offer';
    this.#deaf = options.deaf ?? false;
    this.sipCall = new ScriptedSipCall(this.callId);
  }

  ringing(): void {
    if (!this.#decided) this.heard.push('180');
  }

  progress(sdp: string): void {
    if (!this.#decided) this.heard.push(`183 ${sdp}`);
  }

  async answer(): Promise<{ readonly call: SipCall; readonly ackSdp: string | undefined }> {
    if (this.#decided) throw new SipError('cancelled', 'the caller gave up', { status: 487 });
    this.#decided = true;
    this.heard.push('200');
    if (this.#deaf) throw new SipError('no-ack', 'no ACK came', { status: 408 });
    return Promise.resolve({ call: this.sipCall, ackSdp: this.offer === undefined ? 'answer' : undefined });
  }

  reject(status: number, reason?: string, headers: readonly SipHeader[] = []): void {
    if (this.#decided) return;
    this.#decided = true;
    const more = [reason ?? '', ...headers.map(({ name, value }) => `${name}: ${value}`)].filter((part) => part !== '');
    this.heard.push([String(status), ...more].join(' '));
    this.#cancelled.resolve();
  }

  onCancelled(handler: () => void): void {
    this.#onCancelled = handler;
    if (this.#gaveUp) handler();
  }

  /** The caller hangs up, before or after the answer. */
  leave(): void {
    if (this.#decided) return this.sipCall.leave();
    this.#decided = true;
    this.#gaveUp = true;
    this.#onCancelled?.();
  }

  /** The final status that was heard. */
  get final(): string | undefined {
    return this.heard.findLast((each) => !each.startsWith('18'));
  }
}
