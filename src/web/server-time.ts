import { after, type Cancel, type Clock } from '../base/clock.ts';

/** How often clocks on the page are looked at: one shows a second late by this at most. */
export const TICK_MS = 500;
/** Less is the way of the message, not a clock that goes wrong. */
export const MIN_SKEW_MS = 1000;

/**
 * The server's time, in ticks that all clocks of the page share: what they show of one call is the same at every moment,
 * and right on a machine whose own clock is not.
 */
export class ServerTime {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #aheadMs = 0;
  #now = 0;
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The last tick; while nobody looks on, the one that would be. */
  readonly get = (): number => (this.#listeners.size === 0 ? this.#tick() : this.#now);

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) this.#begin();
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#cancel();
    };
  };

  /** A moment of the page's clock by the server's. */
  of(pageMs: number): number {
    return pageMs + this.#aheadMs;
  }

  /** The server has said what time it is. */
  heard(serverMs: number): void {
    const aheadMs = serverMs - this.#clock.now();
    if (Math.abs(aheadMs - this.#aheadMs) < MIN_SKEW_MS) return;
    this.#aheadMs = aheadMs;
    if (this.#listeners.size > 0) this.#tell();
  }

  #begin(): void {
    this.#now = this.#tick();
    this.#cancel = after(this.#clock, TICK_MS - (this.of(this.#clock.now()) - this.#now), () => this.#tell());
  }

  #tell(): void {
    this.#cancel();
    this.#begin();
    for (const listener of this.#listeners) listener();
  }

  #tick(): number {
    return Math.floor(this.of(this.#clock.now()) / TICK_MS) * TICK_MS;
  }
}
