/** Strength of one frequency in a block of samples; cheaper than a Fourier transform for a few frequencies. */
export class Goertzel {
  readonly #coefficient: number;

  constructor(hertz: number, sampleRate: number) {
    this.#coefficient = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate);
  }

  /** Squared magnitude: (amplitude × length / 2)² for a pure tone of this frequency. */
  power(block: ArrayLike<number>): number {
    const coefficient = this.#coefficient;
    let one = 0;
    let two = 0;
    for (let i = 0; i < block.length; i++) {
      const next = (block[i] as number) + coefficient * one - two;
      two = one;
      one = next;
    }
    return one * one + two * two - coefficient * one * two;
  }
}

/** Amplitude of one frequency in a block, in the units of its samples; the block should hold whole periods. */
export function amplitudeOf(hertz: number, block: ArrayLike<number>, sampleRate: number): number {
  return (2 * Math.sqrt(Math.max(0, new Goertzel(hertz, sampleRate).power(block)))) / Math.max(1, block.length);
}
