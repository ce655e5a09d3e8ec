/** Adds frames of 16-bit samples, each party hearing the sum of all the others. */
export class Mixer {
  readonly #sum: Int32Array;

  /** `frameSamples`: length of every frame, e.g. 160 for 20 ms at 8 kHz. */
  constructor(frameSamples: number) {
    this.#sum = new Int32Array(frameSamples);
  }

  /**
   * Writes to `outputs[i]` the sum of all inputs but `inputs[i]`, saturated. An undefined input is silent. An output may
   * be the same memory as its own input, not as another's.
   */
  mixMinusOwn(inputs: readonly (Int16Array | undefined)[], outputs: readonly Int16Array[]): void {
    this.#add(inputs);
    const sum = this.#sum;
    for (let party = 0; party < outputs.length; party++) {
      const output = outputs[party] as Int16Array;
      const own = inputs[party];
      if (own === undefined) for (let i = 0; i < sum.length; i++) output[i] = saturate(sum[i] as number);
      else for (let i = 0; i < sum.length; i++) output[i] = saturate((sum[i] as number) - (own[i] as number));
    }
  }

  /** The saturated sum of all inputs. */
  mix(inputs: readonly (Int16Array | undefined)[], output: Int16Array): void {
    this.#add(inputs);
    for (let i = 0; i < output.length; i++) output[i] = saturate(this.#sum[i] as number);
  }

  #add(inputs: readonly (Int16Array | undefined)[]): void {
    const sum = this.#sum.fill(0);
    for (const input of inputs) {
      if (input === undefined) continue;
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (input[i] as number);
    }
  }
}

/** Cuts a number to 16 bits without wrapping. */
export function saturate(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
}
