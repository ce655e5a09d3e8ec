import type { Clock } from '../../base/clock.ts';

export interface BucketShape {
  /** How many at once. */
  readonly burst: number;
  /** How many a second in the long run. */
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets by key in bounded memory: when the table is full, the key that was idle longest makes room. */
export class TokenBuckets {
  readonly #clock: Clock;
  readonly #shape: BucketShape;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, shape: BucketShape, maxKeys: number) {
    this.#clock = clock;
    this.#shape = shape;
    this.#maxKeys = maxKeys;
  }

  /** Takes one; false when none is left. */
  take(key: string): boolean {
    const bucket = this.#touch(key);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** True while one could be taken. */
  has(key: string): boolean {
    const bucket = this.#buckets.get(key);
    return bucket === undefined || this.#filled(bucket) >= 1;
  }

  /** Time until one can be taken; 0 when one can be taken now. */
  waitMs(key: string): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    return Math.max(0, ((1 - this.#filled(bucket)) / this.#shape.perSecond) * 1000);
  }

  #filled(bucket: Bucket): number {
    const elapsedSeconds = (this.#clock.now() - bucket.atMs) / 1000;
    return Math.min(this.#shape.burst, bucket.tokens + elapsedSeconds * this.#shape.perSecond);
  }

  #touch(key: string): Bucket {
    const atMs = this.#clock.now();
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      const oldest = this.#buckets.size >= this.#maxKeys ? this.#buckets.keys().next().value : undefined;
      if (oldest !== undefined) this.#buckets.delete(oldest);
      bucket = { tokens: this.#shape.burst, atMs };
    } else {
      bucket.tokens = this.#filled(bucket);
      bucket.atMs = atMs;
      this.#buckets.delete(key);
    }
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
