import type { Clock } from '../base/clock.ts';

export interface PacketLimits {
  readonly perSecond: number;
  readonly bytes: number;
}

/**
 * Of a page that sends messages: five times what it speaks, so that what a stalled connection held back still comes
 * through; a telephone frame of 60 ms with its header is smaller.
 */
export const FRAME_LIMITS: PacketLimits = { perSecond: 250, bytes: 512 };
/** Of a browser: ten times what it speaks, reports included; no datagram of an Ethernet is longer. */
export const WEBRTC_LIMITS: PacketLimits = { perSecond: 500, bytes: 1_500 };
const SECOND_MS = 1_000;

/** How much one peer may send: asked before a packet costs anything. */
export class PacketLimit {
  readonly #clock: Clock;
  readonly #limits: PacketLimits;
  #secondBegan = -Infinity;
  #admitted = 0;

  constructor(clock: Clock, limits: PacketLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  admits(packet: Uint8Array): boolean {
    if (packet.length > this.#limits.bytes) return false;
    const nowMs = this.#clock.now();
    if (nowMs - this.#secondBegan >= SECOND_MS) {
      this.#secondBegan = nowMs;
      this.#admitted = 0;
    }
    this.#admitted += 1;
    return this.#admitted <= this.#limits.perSecond;
  }
}
