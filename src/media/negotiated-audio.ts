import type { G711Codec } from '../wire/sound/g711.ts';
import type { Direction } from './media-node.ts';

/** What offer and answer settled for one leg's sound; how packets find their way is the packet port's matter. */
export interface NegotiatedAudio {
  readonly codec: G711Codec;
  /** The number that `codec` is sent under. */
  readonly payloadType: number;
  /** Numbers under which the peer may send. */
  readonly receive: ReadonlyMap<number, G711Codec>;
  /** Numbers of `telephone-event/8000` for sending and receiving; absent: digits travel as tones in the sound. */
  readonly telephoneEvent?: { readonly send: number; readonly receive: number };
  /** As seen from us. */
  readonly direction: Direction;
}

/** Payload types that mean the same in every session (RFC 3551 6). */
export const STATIC_CODECS: readonly (readonly [number, G711Codec])[] = [
  [0, 'PCMU'],
  [8, 'PCMA'],
];
