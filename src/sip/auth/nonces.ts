import { hash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { randomHex, type Random } from '../../base/random.ts';

export const NONCE_LIFETIME_MS = 300_000;
/** Nonces whose counts are remembered; beyond it those unused longest are forgotten and count as stale. */
export const MAX_TRACKED_NONCES = 200_000;

/** One block of the hash. */
const KEY_BYTES = 32;
const TIME_CHARS = 12;
const SERIAL_CHARS = 16;
const STAMP_CHARS = TIME_CHARS + SERIAL_CHARS;
const MAC_CHARS = 32;
const NONCE_CHARS = STAMP_CHARS + MAC_CHARS;

/**
 * - `fresh`: ours, young, and this count was not seen before.
 * - `stale`: ours, but too old, or its count was used: worth a new challenge, not a failed attempt.
 * - `foreign`: not made here, or for another realm or address.
 */
export type NonceVerdict = 'fresh' | 'stale' | 'foreign';

/**
 * Nonces that prove their own origin and age, so that a challenge costs no memory; only counts of used ones are kept.
 * Each is its time, its number and a seal: who knows the first two of a nonce to come cannot make the third. The key lives
 * as long as the process, so a nonce of before a restart is foreign, and no count has to outlive it. Numbers end after
 * 2^53 challenges and times in the year 10889. What a stranger learns: this server's clock, and how many challenges it sent.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #key: string;
  readonly #maxInGeneration: number;
  #lastSerial = 0;
  /** Highest count of each used nonce by its number: those used of late, and those before. */
  #counts = new Map<number, number>();
  #olderCounts = new Map<number, number>();
  /** Nonces up to this number may have been forgotten with their counts: a replay could not be told. */
  #forgottenSerial = 0;

  constructor(clock: Clock, random: Random, maxTracked = MAX_TRACKED_NONCES) {
    this.#clock = clock;
    this.#key = randomHex(random, KEY_BYTES);
    this.#maxInGeneration = Math.max(1, Math.floor(maxTracked / 2));
  }

  /** A nonce for whoever receives what is sent to this address: nobody else can use it. */
  issue(realm: string, address: string): string {
    this.#lastSerial += 1;
    const time = Math.floor(this.#clock.now()).toString(16).padStart(TIME_CHARS, '0');
    const stamp = time + this.#lastSerial.toString(16).padStart(SERIAL_CHARS, '0');
    return stamp + this.#seal(stamp, realm, address);
  }

  /** Judges origin and age only; `use` judges the count once the password was right. */
  judge(nonce: string, realm: string, address: string): NonceVerdict {
    if (nonce.length !== NONCE_CHARS) return 'foreign';
    const expected = Buffer.from(this.#seal(nonce.slice(0, STAMP_CHARS), realm, address));
    const got = Buffer.from(nonce.slice(STAMP_CHARS));
    if (got.length !== expected.length || !timingSafeEqual(got, expected)) return 'foreign';
    const issuedMs = Number.parseInt(nonce.slice(0, TIME_CHARS), 16);
    return this.#clock.now() - issuedMs <= NONCE_LIFETIME_MS ? 'fresh' : 'stale';
  }

  /**
   * Takes a count of a nonce that `judge` found fresh. RFC 7616 3.4: counts rise, and one is taken once.
   * False: a repeat, or too long ago to tell.
   */
  use(nonce: string, count: number): boolean {
    const serial = Number.parseInt(nonce.slice(TIME_CHARS, STAMP_CHARS), 16);
    const seen = this.#counts.get(serial) ?? this.#olderCounts.get(serial);
    if (seen === undefined && serial <= this.#forgottenSerial) return false;
    // Said so that what is no number is refused too: kept, it would let every later count pass.
    if (!(count > (seen ?? -1))) return false;
    if (this.#counts.size >= this.#maxInGeneration) this.#forgetOlder();
    this.#counts.set(serial, count);
    return true;
  }

  #forgetOlder(): void {
    for (const serial of this.#olderCounts.keys()) this.#forgottenSerial = Math.max(this.#forgottenSerial, serial);
    this.#olderCounts = this.#counts;
    this.#counts = new Map();
  }

  /** Half of the hash: whoever sees it lacks the other half, and with it the state to go on hashing from. */
  #seal(stamp: string, realm: string, address: string): string {
    // An address has no blank: where it ends and the realm begins cannot be read in two ways.
    return hash('sha256', `${this.#key}${stamp}${address} ${realm}`, 'hex').slice(0, MAC_CHARS);
  }
}
