import type { Direction } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { PeerAddress } from './udp-packet-port.ts';

/** What an exchange of offer and answer settled. */
export interface Negotiated {
  readonly audio: NegotiatedAudio;
  readonly peer: PeerAddress;
}

/** Offers and answers of one leg in the order of RFC 3264. Refusals throw MediaError `bad-sdp` or `not-acceptable`. */
export interface LegNegotiation {
  offer(direction: Direction): string;
  /** Takes the answer to the last offer; repeated answers replace each other. */
  answered(sdp: string): Negotiated;
  answer(sdp: string): { readonly sdp: string; readonly negotiated: Negotiated };
}
