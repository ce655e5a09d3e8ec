import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { MediaLeg } from '../../media/media-node.ts';
import type { IncomingWebphoneCall, WebphoneCall, WebphoneCallEvent } from '../../webphone/webphone.ts';
import type { CallMessage, DirectStep, SoundPath } from '../../wire/webphone/client-message.ts';
import type { SignalError } from '../../wire/webphone/server-message.ts';
import { CommsError } from '../comms-error.ts';
import type { Party, PartyEnd, Refusal } from '../party.ts';
import { moveToFrames } from './client-leg.ts';
import type { DirectSide } from './direct-talk.ts';
import { REJECTIONS, STATUS_UNAVAILABLE } from './rejections.ts';

export interface WebphonePartyOptions {
  readonly log: Logger;
  /** Takes a text that the page sent with the call; false: nobody wants it. */
  onMessage?(message: CallMessage): boolean;
}

/** A browser as a party of a call. */
export class WebphoneParty implements Party, DirectSide {
  readonly media: MediaLeg;
  readonly #options: WebphonePartyOptions;
  readonly #incoming: IncomingWebphoneCall | undefined;
  readonly #answer: SoundPath | undefined;
  #call: WebphoneCall | undefined;
  #end: PartyEnd | undefined;
  readonly #onEnded: ((end: PartyEnd) => void)[] = [];
  #onDirect: ((step: DirectStep) => void) | undefined;

  private constructor(
    media: MediaLeg,
    options: WebphonePartyOptions,
    incoming?: { readonly call: IncomingWebphoneCall; readonly answer: SoundPath },
  ) {
    this.media = media;
    this.#options = options;
    this.#incoming = incoming?.call;
    this.#answer = incoming?.answer;
  }

  /** A browser that calls; its offer is answered by the leg now, so that an impossible one is refused before anything rings. */
  static async incoming(
    call: IncomingWebphoneCall,
    media: MediaLeg,
    options: WebphonePartyOptions,
  ): Promise<WebphoneParty> {
    const { sound } = call;
    const answer: SoundPath =
      sound.kind === 'frames' ? sound : { kind: 'webrtc', sdp: await media.answerOffer(sound.sdp) };
    const party = new WebphoneParty(media, options, { call, answer });
    call.onCancelled(() => party.#finish({ by: 'remote', sipStatus: 487, reason: 'canceled by the caller' }));
    return party;
  }

  /** A browser that has answered; the leg has taken its answer. */
  static outgoing(call: WebphoneCall, media: MediaLeg, options: WebphonePartyOptions): WebphoneParty {
    const party = new WebphoneParty(media, options);
    party.#adopt(call);
    return party;
  }

  get answered(): boolean {
    return this.#call !== undefined;
  }

  get ended(): PartyEnd | undefined {
    return this.#end;
  }

  /** The signalling of the answered call. */
  get webphone(): WebphoneCall | undefined {
    return this.#call;
  }

  async answer(): Promise<void> {
    if (this.#end !== undefined) {
      throw new CommsError('ended', 'the caller is gone; nothing to answer', { faultCode: 21_220, httpStatus: 400 });
    }
    if (this.#incoming === undefined || this.#answer === undefined || this.answered) return;
    this.#adopt(this.#incoming.answer(this.#answer));
  }

  ringing(): void {
    if (!this.answered && this.#end === undefined) this.#incoming?.ringing();
  }

  earlyMedia(): void {
    if (!this.answered && this.#end === undefined && this.#answer !== undefined)
      this.#incoming?.earlyMedia(this.#answer);
  }

  reject(reason: Parameters<Party['reject']>[0]): void {
    const [sipStatus, text] = REJECTIONS[reason];
    this.#refuse({ sipStatus, reason: text });
  }

  async hangup(refusal?: Refusal): Promise<void> {
    if (this.#end !== undefined) return;
    if (this.#call === undefined) {
      this.#refuse(refusal ?? { sipStatus: STATUS_UNAVAILABLE, reason: null });
      return;
    }
    this.#finish({ by: 'local', sipStatus: 200, reason: null });
    // A failure on this side: the page is told why its call is over.
    this.#call.hangup(refusal === undefined ? undefined : signalErrorOf(refusal.sipStatus, refusal.reason));
  }

  onEnded(handler: (end: PartyEnd) => void): void {
    if (this.#end !== undefined) handler(this.#end);
    else this.#onEnded.push(handler);
  }

  /** Its page lets the sound go straight to another browser. */
  get mayGoDirect(): boolean {
    return this.#call?.direct === true && this.#end === undefined;
  }

  sendDirect(step: DirectStep): void {
    this.#call?.sendDirect(step);
  }

  rest(resting: boolean): void {
    this.media.rest(resting);
  }

  onDirect(handler: ((step: DirectStep) => void) | undefined): void {
    this.#onDirect = handler;
  }

  /** The vendor's SDK has no transfer. */
  onTransfer(): void {}

  #refuse({ sipStatus, reason }: Refusal): void {
    if (this.#incoming === undefined || this.answered || this.#end !== undefined) return;
    this.#incoming.reject(signalErrorOf(sipStatus, reason));
    this.#finish({ by: 'local', sipStatus, reason });
  }

  #adopt(call: WebphoneCall): void {
    this.#call = call;
    call.onEvent((event) => this.#handle(event));
    this.media.onEvent((event) => {
      if (event.kind === 'disconnected') {
        this.#options.log.info({ callSid: call.callSid, reason: event.reason }, 'the sound of a browser is gone');
      }
    });
  }

  #handle(event: WebphoneCallEvent): void {
    switch (event.kind) {
      case 'ended':
        this.#finish(
          event.by === 'remote'
            ? { by: 'remote', sipStatus: 200, reason: null }
            : { by: 'failure', sipStatus: 408, reason: 'the browser was lost and did not come back' },
        );
        return;
      case 'offer':
        this.#answerTo(event.sound).then(
          (answer) => event.answer(answer),
          (error: unknown) => {
            this.#options.log.info(
              { error: errorText(error) },
              're-offer of a browser refused; the sound stays as it was',
            );
            event.refuse();
          },
        );
        return;
      case 'digits':
        for (const digit of event.digits) if (/[0-9*#]/.test(digit)) this.media.injectDigit(digit);
        return;
      case 'message':
        if (this.#options.onMessage?.(event.message) === true) event.acknowledge();
        else event.refuse({ code: 31210, message: 'nobody asked for messages of this call' });
        return;
      case 'direct':
        this.#onDirect?.(event.step);
        return;
      default:
        event satisfies never;
    }
  }

  async #answerTo(sound: SoundPath): Promise<SoundPath> {
    if (sound.kind === 'webrtc') return { kind: 'webrtc', sdp: await this.media.answerOffer(sound.sdp) };
    if (this.#call !== undefined) await moveToFrames(this.media, this.#call.frames);
    return sound;
  }

  #finish(end: PartyEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const handler of this.#onEnded.splice(0)) handler(end);
  }
}

/** Statuses that the vendor's numbering of signalling errors has: 31 and the SIP status. */
const KNOWN_STATUSES = [400, 404, 480, 486, 603];

/** What a page is told of a call that a SIP status ended. */
export function signalErrorOf(sipStatus: number, reason: string | null): SignalError {
  const code = KNOWN_STATUSES.includes(sipStatus) ? 31_000 + sipStatus : 31_005;
  return { code, message: reason ?? `the call ended with status ${sipStatus}` };
}
