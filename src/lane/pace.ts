const MS_PER_SECOND = 1_000;

export interface PaceOptions {
  /** Takes per second in the long run; more than 0. */
  readonly ratePerSecond: number;
  /** How many may be taken at once after a pause; at least 1, which is the default. */
  readonly burst?: number;
}

export type PaceDecision =
  { readonly allowed: true; readonly retryAtMs?: undefined } | { readonly allowed: false; readonly retryAtMs: number };

/**
 * Rate limiter after the generic cell rate algorithm: one number of state, no timer, time is passed in. A refused take
 * costs nothing.
 */
export class PaceLimiter {
  readonly #stepMs: number;
  readonly #toleranceMs: number;
  // The time at which the bucket would be empty again ("theoretical arrival time").
  #emptyAtMs = -Infinity;

  constructor(options: PaceOptions) {
    const { ratePerSecond, burst = 1 } = options;
    if (!(ratePerSecond > 0) || !(burst >= 1)) {
      throw new RangeError(`rate ${ratePerSecond}/s, burst ${burst}: want a rate above 0 and a burst of at least 1`);
    }
    this.#stepMs = MS_PER_SECOND / ratePerSecond;
    this.#toleranceMs = (burst - 1) * this.#stepMs;
  }

  /** Takes one at `nowMs`, or says when one will be free. */
  take(nowMs: number): PaceDecision {
    const retryAtMs = this.#emptyAtMs - this.#toleranceMs;
    if (nowMs < retryAtMs) return { allowed: false, retryAtMs };
    this.#emptyAtMs = Math.max(this.#emptyAtMs, nowMs) + this.#stepMs;
    return { allowed: true };
  }
}
