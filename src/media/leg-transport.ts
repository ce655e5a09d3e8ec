import type { Endpoint } from '../base/network.ts';
import type { Direction } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { PacketPort } from './packet-port.ts';

/**
 * What lies beneath one leg: the way of its packets, and what signalling settles about that way. Offers and answers come
 * in the order of RFC 3264; refusals are MediaErrors `bad-sdp` or `not-acceptable` and change nothing.
 */
export interface LegTransport {
  readonly port: PacketPort;
  /** Where packets go, as far as it is known; stays known after the close. */
  readonly remote: Endpoint | undefined;
  offer(direction: Direction): Promise<string>;
  /** Takes the answer to the last offer; repeated answers replace each other. */
  answered(sdp: string): Promise<NegotiatedAudio>;
  answer(sdp: string): Promise<{ readonly sdp: string; readonly audio: NegotiatedAudio }>;
  close(): Promise<void>;
}
