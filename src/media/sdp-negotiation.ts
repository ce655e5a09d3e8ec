import { randomInteger, type Random } from '../base/random.ts';
import {
  acceptAudioAnswer,
  answerAudioOffer,
  makeAudioOffer,
  type LocalAudio,
  type NegotiatedAudio as SdpAudio,
} from '../wire/sdp/negotiate.ts';
import { parseSessionDescription, formatSessionDescription, type SessionDescription } from '../wire/sdp/session.ts';
import { MediaError } from './media-error.ts';
import type { Direction } from './media-node.ts';
import { STATIC_CODECS, type NegotiatedAudio } from './negotiated-audio.ts';

/** Our end of the way, as descriptions tell it. */
export type LocalEnd = Pick<LocalAudio, 'address' | 'port' | 'secure'>;

const HIGHEST_SESSION_ID = 0xffff_ffff;

/** Offer and answer of one leg (RFC 3264), with the memory that later ones need. Refusals throw MediaError. */
export class SdpNegotiation {
  #end: LocalEnd;
  readonly #sessionId: string;
  #version = 0;
  /** The last description that we sent, and the last offer among them. */
  #sent: SessionDescription | undefined;
  #offered: SessionDescription | undefined;
  /** What the last offer of ours wished; an answer of ours wishes no more. */
  #direction: Direction = 'sendrecv';

  constructor(random: Random, end: LocalEnd) {
    this.#end = end;
    this.#sessionId = String(randomInteger(random, 1, HIGHEST_SESSION_ID));
  }

  /** For descriptions from now on. */
  set end(end: LocalEnd) {
    this.#end = end;
  }

  offer(direction: Direction): string {
    this.#direction = direction;
    const offer = makeAudioOffer(this.#local(), this.#sent);
    this.#offered = offer;
    return this.#send(offer);
  }

  answered(answer: SessionDescription): SdpAudio {
    if (this.#offered === undefined) throw new MediaError('not-acceptable', 'an answer without an offer: offer first');
    const result = acceptAudioAnswer(this.#offered, answer);
    if (result.kind !== 'ok') throw new MediaError('not-acceptable', `answer: ${result.reason}`);
    return result.negotiated;
  }

  /** What an answer would settle; nothing is remembered of it. */
  wouldAgree(offer: SessionDescription): SdpAudio {
    const result = answerAudioOffer(offer, this.#local());
    if (result.kind !== 'ok') throw new MediaError('not-acceptable', `offer: ${result.reason}`);
    return result.negotiated;
  }

  answer(offer: SessionDescription): { readonly sdp: string; readonly agreed: SdpAudio } {
    const result = answerAudioOffer(offer, this.#local());
    if (result.kind !== 'ok') throw new MediaError('not-acceptable', `offer: ${result.reason}`);
    return { sdp: this.#send(result.answer), agreed: result.negotiated };
  }

  #local(): LocalAudio {
    return {
      ...this.#end,
      sessionId: this.#sessionId,
      version: this.#version + 1,
      direction: this.#direction,
    };
  }

  #send(description: SessionDescription): string {
    this.#version += 1;
    this.#sent = description;
    return formatSessionDescription(description);
  }
}

/** @throws MediaError `bad-sdp` when the text is none. */
export function readDescription(sdp: string): SessionDescription {
  const result = parseSessionDescription(sdp);
  if (result.kind !== 'ok') throw new MediaError('bad-sdp', `session description: ${result.reason}`);
  return result.value;
}

/** What the engine needs to know of an agreement. */
export function audioFrom(agreed: SdpAudio): NegotiatedAudio {
  const { codec, payloadType, receivePayloadType, direction, telephoneEventPayloadType: send } = agreed;
  const receive = agreed.receiveTelephoneEventPayloadType;
  return {
    codec,
    payloadType,
    // Some peers send the other G.711 under its static number without a word; understanding it costs nothing.
    receive: new Map([...STATIC_CODECS, [receivePayloadType, codec]]),
    ...(send === undefined || receive === undefined ? {} : { telephoneEvent: { send, receive } }),
    direction,
  };
}
