import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { MediaError } from '../../media/media-error.ts';
import type { MediaLeg } from '../../media/media-node.ts';
import type { IncomingCall, SipCall, SipCallEvent } from '../../sip/user-agent.ts';
import { CommsError } from '../comms-error.ts';
import type { Party, PartyEnd, Refusal, TransferRequest } from '../party.ts';
import { REJECTIONS, STATUS_UNAVAILABLE } from './rejections.ts';

const STATUS_FORBIDDEN = 403;
const STATUS_DECLINE = 603;
const STATUS_NOT_ACCEPTABLE_HERE = 488;
const STATUS_SERVER_ERROR = 500;

/** What every SIP party shares once its dialog stands: hold and re-offers, digits by INFO, the end of the call. */
export class SipParty implements Party {
  readonly media: MediaLeg;
  readonly #incoming: IncomingCall | undefined;
  readonly #log: Logger;
  #call: SipCall | undefined;
  #end: PartyEnd | undefined;
  #answering: Promise<void> | undefined;
  #answerSdp: string | undefined;
  readonly #onEnded: ((end: PartyEnd) => void)[] = [];
  readonly #mayTransfer: boolean;
  #onTransfer: ((request: TransferRequest) => void) | undefined;

  private constructor(
    media: MediaLeg,
    options: {
      readonly log: Logger;
      readonly mayTransfer: boolean;
      readonly incoming?: IncomingCall;
      readonly answerSdp?: string | undefined;
    },
  ) {
    const { log, incoming, answerSdp } = options;
    this.media = media;
    this.#log = log;
    this.#mayTransfer = options.mayTransfer;
    this.#incoming = incoming;
    this.#answerSdp = answerSdp;
  }

  /** A caller: its offer is answered by the leg now, so that an impossible one is refused before anything rings. */
  static async incoming(incoming: IncomingCall, media: MediaLeg, log: Logger): Promise<SipParty> {
    const answer = incoming.offer === undefined ? undefined : await media.answerOffer(incoming.offer);
    // Others than phones of the place could make it dial at its owner's cost.
    const mayTransfer = incoming.caller.kind === 'phone';
    const party = new SipParty(media, { log, mayTransfer, incoming, answerSdp: answer });
    incoming.onCancelled(() => party.#finish({ by: 'remote', sipStatus: 487, reason: 'canceled by the caller' }));
    return party;
  }

  /** A callee that has answered; the leg has taken its answer. */
  static outgoing(
    call: SipCall,
    media: MediaLeg,
    options: { readonly log: Logger; readonly mayTransfer: boolean },
  ): SipParty {
    const party = new SipParty(media, options);
    party.#adopt(call);
    return party;
  }

  get answered(): boolean {
    return this.#call !== undefined;
  }

  get ended(): PartyEnd | undefined {
    return this.#end;
  }

  get dialogId(): string | undefined {
    return this.#call?.dialogId ?? this.#incoming?.dialogId;
  }

  get callId(): string | undefined {
    return this.#call?.callId ?? this.#incoming?.callId;
  }

  answer(): Promise<void> {
    this.#answering ??= this.#answerOnce();
    return this.#answering;
  }

  ringing(): void {
    if (this.#incoming !== undefined && !this.answered && this.#end === undefined) this.#incoming.ringing();
  }

  earlyMedia(): void {
    // Without the caller's offer there is nothing to answer early.
    if (this.#answerSdp === undefined || this.answered || this.#end !== undefined) return;
    this.#incoming?.progress(this.#answerSdp);
  }

  reject(reason: Parameters<Party['reject']>[0]): void {
    const [status, phrase] = REJECTIONS[reason];
    this.#refuse(status, phrase);
  }

  async hangup(refusal?: Refusal): Promise<void> {
    if (this.#end !== undefined) return;
    if (this.#call === undefined) {
      const { sipStatus, reason } = refusal ?? { sipStatus: STATUS_UNAVAILABLE, reason: null };
      this.#refuse(sipStatus, reason);
      return;
    }
    const call = this.#call;
    this.#finish({ by: 'local', sipStatus: 200, reason: null });
    await call.hangup();
  }

  onEnded(handler: (end: PartyEnd) => void): void {
    if (this.#end !== undefined) handler(this.#end);
    else this.#onEnded.push(handler);
  }

  onTransfer(handler: ((request: TransferRequest) => void) | undefined): void {
    this.#onTransfer = handler;
  }

  #refuse(status: number, phrase: string | null): void {
    if (this.#incoming === undefined || this.answered || this.#end !== undefined) return;
    this.#incoming.reject(status, phrase ?? undefined);
    this.#finish({ by: 'local', sipStatus: status, reason: phrase });
  }

  async #answerOnce(): Promise<void> {
    const incoming = this.#incoming;
    if (this.#end !== undefined) throw ended('the caller is gone; nothing to answer');
    if (incoming === undefined) return;
    try {
      const sdp = this.#answerSdp ?? (await this.media.createOffer());
      const { call, ackSdp } = await incoming.answer(sdp);
      this.#adopt(call);
      if (this.#answerSdp === undefined && ackSdp !== undefined) await this.media.acceptAnswer(ackSdp);
    } catch (error) {
      // No ACK came, or nothing usable in it: the engine has ended the dialog, or it is ended here.
      this.#finish({ by: 'failure', sipStatus: null, reason: errorText(error) });
    }
    if (this.ended === undefined) return;
    await this.#call?.hangup().catch(() => undefined);
    throw ended(`the caller left while the call was being answered: ${this.ended.reason ?? 'hung up'}`);
  }

  #adopt(call: SipCall): void {
    this.#call = call;
    call.onEvent((event) => this.#handle(event));
  }

  #handle(event: SipCallEvent): void {
    switch (event.kind) {
      case 'ended':
        this.#finish({
          by: event.by === 'remote' ? 'remote' : 'failure',
          sipStatus: 200,
          reason: event.reason ?? null,
        });
        return;
      case 'offer':
        void this.#negotiate(event);
        return;
      case 'answer':
        this.media.acceptAnswer(event.sdp).catch((error: unknown) => {
          this.#log.warn({ callId: this.callId, error: errorText(error) }, 'the answer in ACK was not usable');
        });
        return;
      case 'info':
        this.#digitByInfo(event.contentType, event.body);
        return;
      case 'refer':
        if (!this.#mayTransfer) event.refuse(STATUS_FORBIDDEN);
        else if (this.#onTransfer === undefined) event.refuse(STATUS_DECLINE);
        else this.#onTransfer(event);
        return;
      default:
        event satisfies never;
    }
  }

  async #negotiate(event: Extract<SipCallEvent, { kind: 'offer' }>): Promise<void> {
    try {
      event.answer(
        event.offer === undefined ? await this.media.createOffer() : await this.media.answerOffer(event.offer),
      );
    } catch (error) {
      this.#log.info(
        { callId: this.callId, error: errorText(error) },
        'a re-offer was refused; the sound stays as it was',
      );
      event.refuse(offerRefusal(error));
    }
  }

  /** `application/dtmf-relay` has `Signal=5`, `application/dtmf` the bare digit. */
  #digitByInfo(contentType: string, body: string): void {
    const relay = /^application\/dtmf-relay/i.test(contentType);
    const plain = /^application\/dtmf\b/i.test(contentType);
    if (!relay && !plain) return;
    const digit = relay ? /^\s*Signal\s*=\s*([0-9*#A-D])/im.exec(body)?.[1] : /^\s*([0-9*#A-D])/i.exec(body)?.[1];
    if (digit !== undefined) this.media.injectDigit(digit.toUpperCase());
  }

  #finish(end: PartyEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const handler of this.#onEnded.splice(0)) handler(end);
  }
}

/** SIP status for an offer that cannot be taken (RFC 3264 6, RFC 3261 14.2). */
export function offerRefusal(error: unknown): number {
  if (!(error instanceof MediaError)) return STATUS_SERVER_ERROR;
  if (error.code === 'not-acceptable') return STATUS_NOT_ACCEPTABLE_HERE;
  if (error.code === 'bad-sdp') return 400;
  return error.code === 'overloaded' || error.code === 'no-ports' ? 503 : STATUS_SERVER_ERROR;
}

function ended(message: string): CommsError {
  return new CommsError('ended', message, { faultCode: 21_220, httpStatus: 400 });
}
