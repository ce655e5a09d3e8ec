/** Gives the capacity back; safe to call twice. */
export type ReleaseCapacity = () => void;

/** A fixed capacity (calls on a trunk, legs of a media process), held in parts until each is released. */
export class Reserve {
  readonly capacity: number;
  #held = 0;

  constructor(capacity: number) {
    if (!(capacity >= 0)) throw new RangeError(`capacity ${capacity}: want a number of at least 0`);
    this.capacity = capacity;
  }

  get held(): number {
    return this.#held;
  }

  get free(): number {
    return this.capacity - this.#held;
  }

  /** Holds `amount`, or returns undefined and holds nothing when less is free. */
  hold(amount = 1): ReleaseCapacity | undefined {
    if (!(amount > 0)) throw new RangeError(`amount ${amount}: want a number above 0`);
    if (amount > this.free) return undefined;
    this.#held += amount;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#held -= amount;
    };
  }
}
