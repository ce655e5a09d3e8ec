import type { Cancel, Clock, Release } from '../base/clock.ts';

/** A clock whose timers belong to one engine: when the engine closes, none of them fires any more. */
export class OwnedClock implements Clock {
  readonly #clock: Clock;
  readonly #armed = new Set<Cancel>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  at(timeMs: number, fn: () => void): Cancel {
    if (this.#closed) return () => undefined;
    const cancel = this.#clock.at(timeMs, () => {
      this.#armed.delete(cancel);
      fn();
    });
    this.#armed.add(cancel);
    return () => {
      if (this.#armed.delete(cancel)) cancel();
    };
  }

  hold(): Release {
    return this.#clock.hold();
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#armed) cancel();
    this.#armed.clear();
  }
}
