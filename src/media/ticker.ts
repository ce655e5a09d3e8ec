import type { Cancel, Clock } from '../base/clock.ts';
import { LatenessWindow } from './lateness.ts';

/** One frame of sound everywhere in this package. */
export const FRAME_MS = 20;
/** After a delay, ticks follow at this distance until the beat is met again: twice the pace, never a burst. */
const CATCH_UP_SPACING_MS = 10;
/** Ticks that are later than this are skipped: the far ends' jitter buffers have given those frames up. */
export const MAX_CATCH_UP_MS = 200;

/** `skipped` counts the frames since the last tick that will never be played (0 in good health). */
export type TickHandler = (skipped: number) => void;

/** The 20 ms beat of a media process. */
export interface Ticker {
  start(handler: TickHandler): void;
  stop(): void;
  /** Lateness over the last seconds that `share` (0-1) of the ticks did not exceed. */
  latenessMs(share: number): number;
}

/**
 * A beat without drift: each tick's due time is computed from the first one's, so late timers do not add up. It runs
 * on any clock; on a virtual one it is exact.
 */
export class FrameTicker implements Ticker {
  readonly #clock: Clock;
  readonly #lateness = new LatenessWindow(FRAME_MS);
  #dueMs = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(handler: TickHandler): void {
    if (this.#cancel !== undefined) return;
    this.#dueMs = this.#clock.now() + FRAME_MS;
    this.#arm(this.#dueMs, handler);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  latenessMs(share: number): number {
    return this.#lateness.percentile(share, this.#clock.now());
  }

  #arm(atMs: number, handler: TickHandler): void {
    this.#cancel = this.#clock.at(atMs, () => this.#tick(handler));
  }

  #tick(handler: TickHandler): void {
    const nowMs = this.#clock.now();
    const lateMs = nowMs - this.#dueMs;
    // Timers may fire a fraction of a millisecond early; ticking then would be as good as on time.
    this.#lateness.add(nowMs, Math.max(0, lateMs));
    const skipped = lateMs > MAX_CATCH_UP_MS ? Math.floor(lateMs / FRAME_MS) : 0;
    this.#dueMs += (skipped + 1) * FRAME_MS;
    this.#arm(Math.max(this.#dueMs, nowMs + CATCH_UP_SPACING_MS), handler);
    handler(skipped);
  }
}
