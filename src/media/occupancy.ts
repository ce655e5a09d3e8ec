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
    const newest = this.#sample(1);
    // Legs that came within the second are in its figure for half of it, in the middle; those since the last tick not yet.
    const coming = Math.max(0, newest.legs - this.#sample(FEWEST).legs) / 2 + Math.max(0, legs - newest.legs);
    const lately = this.#busy(FEWEST) + coming * LEG_SHARE;
    return Math.min(1, Math.max(lately, this.#busy(Math.min(MOST, this.#count))));
  }

  #busy(window: number): number {
    const [oldest, newest] = [this.#sample(window), this.#sample(1)];
    return (newest.activeMs - oldest.activeMs) / Math.max(1, newest.atMs - oldest.atMs);
  }

  /** The last one is 1 back. */
  #sample(back: number): Sample {
    return this.#samples[(this.#count - back) % MOST] as Sample;
  }
}
