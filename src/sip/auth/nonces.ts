import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';

export const NONCE_LIFETIME_MS = 300_000;
/** Nonces whose counts are remembered; beyond it the oldest are forgotten and count as stale. */
export const MAX_TRACKED_NONCES = 50_000;

const KEY_BYTES = 32;
const SALT_BYTES = 8;
const TIME_CHARS = 12;
const SALT_CHARS = SALT_BYTES * 2;
const MAC_CHARS = 32;
const NONCE_CHARS = TIME_CHARS + SALT_CHARS + MAC_CHARS;

/**
 * - `fresh`: ours, young, and this count was not seen before.
 * - `stale`: ours, but too old, or its count was used: worth a new challenge, not a failed attempt.
 * - `foreign`: not made here.
 */
export type NonceVerdict = 'fresh' | 'stale' | 'foreign';

/** Nonces that prove their own origin and age, so that a challenge costs no memory; only counts of used ones are kept. */
export class Nonces {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #key: Uint8Array;
  readonly #maxTracked: number;
  /** Highest count of each used nonce, oldest use first. */
  readonly #counts = new Map<string, number>();
  /** Nonces issued up to here may have been forgotten with their counts: a replay could not be told. */
  #forgottenUntilMs = -1;

  constructor(clock: Clock, random: Random, maxTracked = MAX_TRACKED_NONCES) {
    this.#clock = clock;
    this.#random = random;
    this.#key = random.bytes(KEY_BYTES);
    this.#maxTracked = maxTracked;
  }

  issue(realm: string): string {
    const time = Math.floor(this.#clock.now()).toString(16).padStart(TIME_CHARS, '0');
    const stamp = time + Buffer.from(this.#random.bytes(SALT_BYTES)).toString('hex');
    return stamp + this.#mac(stamp, realm);
  }

  /** Judges origin and age only; `use` judges the count once the password was right. */
  judge(nonce: string, realm: string): NonceVerdict {
    if (nonce.length !== NONCE_CHARS) return 'foreign';
    const stamp = nonce.slice(0, TIME_CHARS + SALT_CHARS);
    const expected = Buffer.from(this.#mac(stamp, realm));
    const got = Buffer.from(nonce.slice(TIME_CHARS + SALT_CHARS));
    if (got.length !== expected.length || !timingSafeEqual(got, expected)) return 'foreign';
    return this.#clock.now() - issuedAtMs(nonce) <= NONCE_LIFETIME_MS ? 'fresh' : 'stale';
  }

  /**
   * Takes a count of a nonce that `judge` found fresh. RFC 7616 3.4: counts rise, and one is taken once.
   * False: a repeat, or too long ago to tell.
   */
  use(nonce: string, count: number): boolean {
    const seen = this.#counts.get(nonce);
    if (seen === undefined) {
      if (issuedAtMs(nonce) <= this.#forgottenUntilMs) return false;
      this.#makeRoom();
    } else if (count <= seen) return false;
    this.#counts.set(nonce, count);
    return true;
  }

  #makeRoom(): void {
    const oldestUsefulMs = this.#clock.now() - NONCE_LIFETIME_MS;
    for (const nonce of this.#counts.keys()) {
      const issuedMs = issuedAtMs(nonce);
      if (issuedMs >= oldestUsefulMs && this.#counts.size < this.#maxTracked) return;
      this.#counts.delete(nonce);
      this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, issuedMs);
    }
  }

  #mac(stamp: string, realm: string): string {
    return createHmac('sha256', this.#key).update(stamp).update(realm).digest('hex').slice(0, MAC_CHARS);
  }
}

function issuedAtMs(nonce: string): number {
  return Number.parseInt(nonce.slice(0, TIME_CHARS), 16);
}
