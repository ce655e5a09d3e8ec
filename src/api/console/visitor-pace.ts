import type { Clock } from '../../base/clock.ts';
import { PaceLimiter, type PaceOptions } from '../../lane/pace.ts';
import { ApiError, DOOR_FAULTS } from '../api-error.ts';

/** Addresses that are remembered; the one that came first is forgotten for a new one. */
const MAX_ADDRESSES = 10_000;

/** A rate for each address that asks. */
export class VisitorPace {
  readonly #clock: Clock;
  readonly #options: PaceOptions;
  readonly #limiters = new Map<string, PaceLimiter>();

  constructor(clock: Clock, options: PaceOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Throws ApiError 429 with Retry-After when it is too much. */
  take(address: string): void {
    const now = this.#clock.now();
    const decision = this.#limiterOf(address).take(now);
    if (decision.allowed) return;
    const retryAfter = String(Math.max(1, Math.ceil((decision.retryAtMs - now) / 1000)));
    throw new ApiError({
      status: 429,
      code: 20429,
      message: `${DOOR_FAULTS[20429]}: try again in ${retryAfter} s`,
      headers: { 'retry-after': retryAfter },
    });
  }

  #limiterOf(address: string): PaceLimiter {
    const known = this.#limiters.get(address);
    if (known !== undefined) return known;
    const [first] = this.#limiters.keys();
    if (this.#limiters.size >= MAX_ADDRESSES && first !== undefined) this.#limiters.delete(first);
    const made = new PaceLimiter(this.#options);
    this.#limiters.set(address, made);
    return made;
  }
}
