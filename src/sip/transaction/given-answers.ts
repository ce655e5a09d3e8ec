import type { Cancel, Clock } from '../../base/clock.ts';
import type { Hop } from '../transport/hop.ts';

/** Answers that run out this close together share one turn of the timer; late is harmless (RFC 3261 17.2.2). */
const SWEEP_INTERVAL_MS = 100;

export interface GivenAnswer {
  readonly bytes: Uint8Array;
  readonly to: Hop;
}

interface Kept extends GivenAnswer {
  readonly untilMs: number;
}

/**
 * Final answers over datagrams, kept until timer J for the repeats of their requests (RFC 3261 17.2.2, Completed). Of a
 * whole transaction nothing else is needed there, and at thousands of requests a second it is what fills the memory.
 * Timer J is equally long for all, so the first that came is the first to go and one timer serves them.
 */
export class GivenAnswers {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #kept = new Map<string, Kept>();
  #cancelSweep: Cancel | undefined;

  constructor(clock: Clock, lifetimeMs: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** `key` names the server transaction that gave the answer. */
  keep(key: string, bytes: Uint8Array, to: Hop): void {
    const untilMs = this.#clock.now() + this.#lifetimeMs;
    this.#kept.set(key, { bytes, to, untilMs });
    this.#cancelSweep ??= this.#clock.at(untilMs, () => this.#sweep());
  }

  find(key: string): GivenAnswer | undefined {
    return this.#kept.get(key);
  }

  clear(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.#kept.clear();
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#clock.now();
    for (const [key, { untilMs }] of this.#kept) {
      if (untilMs > nowMs) {
        this.#cancelSweep = this.#clock.at(Math.max(untilMs, nowMs + SWEEP_INTERVAL_MS), () => this.#sweep());
        return;
      }
      this.#kept.delete(key);
    }
  }
}
