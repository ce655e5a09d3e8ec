import type { Clock } from './clock.ts';
import { randomUnit, type Random } from './random.ts';

/** How packets travel between two hosts; within one host they take no time and are not lost. */
export interface LinkQuality {
  readonly delayMs: number;
  /** Up to this much is added to each packet's delay, so that datagrams may overtake each other. */
  readonly jitterMs: number;
  /** Part of the datagrams that get lost, 0 to 1. Streams lose nothing. */
  readonly lossRate: number;
}

const WITHIN_HOST: LinkQuality = { delayMs: 0, jitterMs: 0, lossRate: 0 };

/** Carries packets over the clock, with delay and loss from the seed. */
export class VirtualLink {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #quality: LinkQuality;

  constructor(clock: Clock, random: Random, quality: LinkQuality) {
    this.#clock = clock;
    this.#random = random;
    this.#quality = quality;
  }

  get withinHost(): VirtualLink {
    return new VirtualLink(this.#clock, this.#random, WITHIN_HOST);
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Delivers after the delay, or never. */
  send(deliver: () => void): void {
    const { lossRate } = this.#quality;
    if (lossRate > 0 && randomUnit(this.#random) < lossRate) return;
    this.#clock.at(this.#clock.now() + this.delayMs(), deliver);
  }

  /** The delay of one packet. */
  delayMs(): number {
    const { delayMs, jitterMs } = this.#quality;
    return delayMs + (jitterMs > 0 ? randomUnit(this.#random) * jitterMs : 0);
  }
}
