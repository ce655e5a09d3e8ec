import type { Clock } from '../base/clock.ts';

/** Five times what a page speaks, so that what a stalled connection held back still comes through. */
export const MAX_FRAMES_PER_SECOND = 250;
/** A telephone frame of 60 ms with its header is smaller; more is no sound of ours. */
const MAX_FRAME_BYTES = 512;
const SECOND_MS = 1_000;

/** What a page may send in messages: asked at each side of a channel that would queue the rest. */
export class FrameLimit {
  readonly #clock: Clock;
  #secondBegan = -Infinity;
  #admitted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  admits(packet: Uint8Array): boolean {
    if (packet.length > MAX_FRAME_BYTES) return false;
    const nowMs = this.#clock.now();
    if (nowMs - this.#secondBegan >= SECOND_MS) {
      this.#secondBegan = nowMs;
      this.#admitted = 0;
    }
    this.#admitted += 1;
    return this.#admitted <= MAX_FRAMES_PER_SECOND;
  }
}
