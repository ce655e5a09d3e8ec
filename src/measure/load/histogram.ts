/** Each doubling is cut into this many parts: a value is told within 1.6 %. */
const STEPS_PER_DOUBLING = 64;
/** The unit is the microsecond; 2^37 of them are more than a day. */
const DOUBLINGS = 37;
const US_PER_MS = 1_000;

/** Times in bounded memory, with a bounded relative error: 64 buckets for each doubling from a microsecond to a day. */
export class Histogram {
  readonly #counts = new Uint32Array(STEPS_PER_DOUBLING * DOUBLINGS);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  /** Exact. */
  get maxMs(): number {
    return this.#maxMs;
  }

  add(ms: number): void {
    const value = Number.isFinite(ms) ? Math.max(0, ms) : 0;
    const index = bucketOf(value * US_PER_MS);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, value);
  }

  /** The upper edge of the bucket in which this share of all values (0.99) ends, never more than the largest value. */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(this.#maxMs, upperEdgeUs(index) / US_PER_MS);
    }
    return 0;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#maxMs = 0;
  }
}

// The first doublings share the linear buckets 0, 1, 2 … up to STEPS_PER_DOUBLING microseconds.
function bucketOf(us: number): number {
  const whole = Math.floor(us);
  if (whole < STEPS_PER_DOUBLING) return whole;
  const doubling = Math.floor(Math.log2(whole)) - Math.log2(STEPS_PER_DOUBLING);
  const step = Math.floor(whole / 2 ** doubling) - STEPS_PER_DOUBLING;
  return Math.min(STEPS_PER_DOUBLING * (doubling + 1) + step, STEPS_PER_DOUBLING * DOUBLINGS - 1);
}

function upperEdgeUs(index: number): number {
  if (index < STEPS_PER_DOUBLING) return index + 1;
  const doubling = Math.floor(index / STEPS_PER_DOUBLING) - 1;
  return (STEPS_PER_DOUBLING + (index % STEPS_PER_DOUBLING) + 1) * 2 ** doubling;
}
