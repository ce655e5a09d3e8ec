import { randomInteger, type Random } from '../base/random.ts';
import {
  acceptAudioAnswer,
  answerAudioOffer,
  makeAudioOffer,
  type LocalAudio,
  type NegotiatedAudio as SdpAudio,
} from '../wire/sdp/negotiate.ts';
import { parseSessionDescription, formatSessionDescription, type SessionDescription } from '../wire/sdp/session.ts';
import type { LegNegotiation, Negotiated } from './leg-negotiation.ts';
import { MediaError } from './media-error.ts';
import type { Direction } from './media-node.ts';
import { STATIC_CODECS, type NegotiatedAudio } from './negotiated-audio.ts';
import type { PeerAddress } from './udp-packet-port.ts';

export interface SdpNegotiationOptions {
  /** Written into c= and o=. */
  readonly address: string;
  readonly rtpPort: number;
  readonly random: Random;
}

const HIGHEST_SESSION_ID = 0xffff_ffff;
const HOLD_ADDRESSES = ['0.0.0.0', '::'];

/** Offer and answer of an RTP leg (RFC 3264), with the memory that later ones need. */
export function sdpNegotiation(options: SdpNegotiationOptions): LegNegotiation {
  return new SdpNegotiation(options);
}

class SdpNegotiation implements LegNegotiation {
  readonly #options: SdpNegotiationOptions;
  readonly #sessionId: string;
  #version = 0;
  /** The last description that we sent, and the last offer among them. */
  #sent: SessionDescription | undefined;
  #offered: SessionDescription | undefined;
  /** What the last answer of ours settled; a refused re-offer leaves it as it is. */
  #direction: Direction = 'sendrecv';

  constructor(options: SdpNegotiationOptions) {
    this.#options = options;
    this.#sessionId = String(randomInteger(options.random, 1, HIGHEST_SESSION_ID));
  }

  offer(direction: Direction): string {
    this.#direction = direction;
    const offer = makeAudioOffer(this.#local(), this.#sent);
    this.#offered = offer;
    return this.#send(offer);
  }

  answered(sdp: string): Negotiated {
    if (this.#offered === undefined) throw new MediaError('not-acceptable', 'an answer without an offer: offer first');
    const result = acceptAudioAnswer(this.#offered, read(sdp));
    if (result.kind !== 'ok') throw new MediaError('not-acceptable', `answer: ${result.reason}`);
    return negotiatedFrom(result.negotiated);
  }

  answer(sdp: string): { readonly sdp: string; readonly negotiated: Negotiated } {
    const result = answerAudioOffer(read(sdp), this.#local());
    if (result.kind !== 'ok') throw new MediaError('not-acceptable', `offer: ${result.reason}`);
    return { sdp: this.#send(result.answer), negotiated: negotiatedFrom(result.negotiated) };
  }

  #local(): LocalAudio {
    const { address, rtpPort } = this.#options;
    return {
      address,
      port: rtpPort,
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

function read(sdp: string): SessionDescription {
  const result = parseSessionDescription(sdp);
  if (result.kind !== 'ok') throw new MediaError('bad-sdp', `session description: ${result.reason}`);
  return result.value;
}

function negotiatedFrom(agreed: SdpAudio): Negotiated {
  return { audio: audioFrom(agreed), peer: peerFrom(agreed) };
}

function audioFrom(agreed: SdpAudio): NegotiatedAudio {
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

function peerFrom({ remote, rtcpRemote }: SdpAudio): PeerAddress {
  // RFC 3264 8.4: zeros are the old form of hold; there is nowhere to send.
  if (HOLD_ADDRESSES.includes(remote.address)) return { rtcpMux: false };
  return { rtp: remote, ...(rtcpRemote === undefined ? {} : { rtcp: rtcpRemote }), rtcpMux: false };
}
