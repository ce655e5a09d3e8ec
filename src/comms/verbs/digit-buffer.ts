/** Keys that a caller can press ahead of the verb that reads them. */
export const MAX_DIGITS_AHEAD = 100;

/**
 * The keys of one party, in order. What nobody reads yet is kept for the next reader; when the buffer is full, the
 * newest keys are lost.
 */
export class DigitBuffer {
  #waiting = '';
  #reader: ((digit: string) => 'more' | 'enough') | undefined;

  push(digit: string): void {
    if (this.#waiting.length < MAX_DIGITS_AHEAD) this.#waiting += digit;
    this.#feed();
  }

  clear(): void {
    this.#waiting = '';
  }

  /** Gives `reader` the waiting keys at once and later ones as they come, until it has enough or the result is called. */
  read(reader: (digit: string) => 'more' | 'enough'): () => void {
    this.#reader = reader;
    this.#feed();
    return () => {
      if (this.#reader === reader) this.#reader = undefined;
    };
  }

  #feed(): void {
    while (this.#reader !== undefined && this.#waiting !== '') {
      const digit = this.#waiting.charAt(0);
      this.#waiting = this.#waiting.slice(1);
      if (this.#reader(digit) === 'enough') this.#reader = undefined;
    }
  }
}
