import { performance } from 'node:perf_hooks';

/** What part of its time a media process had no time to spare, lately. */
export interface Occupancy {
  /** To be called once a tick. */
  sample(nowMs: number, legs: number): void;
  /** 0 to 1, with what the legs that have come meanwhile will add. */
  share(legs: number): number;
}

/**
 * Samples looked back on: a second of ticks, which tells soon, and five, so that callers who try again and again do not
 * get in whenever one second happens to be quieter, until the process is full.
 */
const FEWEST = 50;
const MOST = 250;
/** What a leg takes of a core that is not in the figure yet: as measured of one whose call is recorded. */
const LEG_SHARE = 0.002;

interface Sample {
  readonly atMs: number;
  readonly activeMs: number;
  readonly legs: number;
}

/**
 * Tells a full process before it is late: how long its event loop was not waiting. Time in which the machine gave the
 * process no processor counts as busy, which it is for the calls.
 */
export class LoopOccupancy implements Occupancy {
  readonly #activeMs: () => number;
  readonly #samples: Sample[] = [];
  #count = 0;

  /** `activeMs`: how long the event loop has worked since it began. */
  constructor(activeMs: () => number = () => performance.eventLoopUtilization().active) {
    this.#activeMs = activeMs;
  }

  sample(nowMs: number, legs: number): void {
    this.#samples[this.#count % MOST] = { atMs: nowMs, activeMs: this.#activeMs(), legs };
    this.#count += 1;
  }

  share(legs: number): number {
    if (this.#count < FEWEST) return 0;
    return Math.min(1, Math.max(this.#over(FEWEST, legs), this.#over(Math.min(MOST, this.#count), legs)));
  }

  #over(window: number, legs: number): number {
    const oldest = this.#samples[(this.#count - window) % MOST] as Sample;
    const newest = this.#samples[(this.#count - 1) % MOST] as Sample;
    const busy = (newest.activeMs - oldest.activeMs) / Math.max(1, newest.atMs - oldest.atMs);
    return busy + Math.max(0, legs - oldest.legs) * LEG_SHARE;
  }
}
