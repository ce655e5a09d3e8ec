import { after, type Cancel, type Clock } from '../../base/clock.ts';

/** The running timers of one transaction, by name; arming one again replaces it. */
export class ArmedTimers<Name extends string> {
  readonly #clock: Clock;
  readonly #fire: (name: Name) => void;
  /** Made when the first is armed: most transactions over datagrams never arm one. */
  #armed: Map<Name, Cancel> | undefined;

  constructor(clock: Clock, fire: (name: Name) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** No time at all (a reliable transport, RFC 3261 17.1.1.2) fires at once. */
  arm(name: Name, afterMs: number): void {
    this.#armed?.get(name)?.();
    if (afterMs === 0) return this.#fire(name);
    this.#armed ??= new Map();
    this.#armed.set(
      name,
      after(this.#clock, afterMs, () => this.#fire(name)),
    );
  }

  cancel(name: Name): void {
    this.#armed?.get(name)?.();
    this.#armed?.delete(name);
  }

  clear(): void {
    for (const cancel of this.#armed?.values() ?? []) cancel();
    this.#armed = undefined;
  }
}
