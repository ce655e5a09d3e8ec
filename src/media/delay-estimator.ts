/** Packets looked back on: 2.5 s of 20 ms packets. */
const WINDOW = 128;
/** The order statistics are taken anew after this many packets. */
const REFRESH_PACKETS = 8;
/** Delays above this share of the window are left to concealment, so that one outlier does not delay everything. */
const COVERED_SHARE = 0.98;

/** Smallest and usual largest transit time of the recent packets. The window forgets, so clock drift moves both. */
export class DelayEstimator {
  readonly #transits = new Float64Array(WINDOW);
  #count = 0;
  #minimum = 0;
  #high = 0;

  reset(): void {
    this.#count = 0;
  }

  add(transitMs: number): void {
    this.#transits[this.#count % WINDOW] = transitMs;
    this.#count += 1;
    if (this.#count < REFRESH_PACKETS) {
      this.#minimum = this.#count === 1 ? transitMs : Math.min(this.#minimum, transitMs);
      this.#high = this.#count === 1 ? transitMs : Math.max(this.#high, transitMs);
    } else if (this.#count % REFRESH_PACKETS === 0) this.#refresh();
  }

  /** Transit time of the fastest recent packet. */
  minimumMs(): number {
    return this.#minimum;
  }

  /** How much later than the fastest the slow packets come. */
  spreadMs(): number {
    return this.#high - this.#minimum;
  }

  #refresh(): void {
    const sorted = this.#transits.slice(0, Math.min(this.#count, WINDOW)).sort();
    this.#minimum = sorted[0] as number;
    this.#high = sorted[Math.ceil((sorted.length - 1) * COVERED_SHARE)] as number;
  }
}
