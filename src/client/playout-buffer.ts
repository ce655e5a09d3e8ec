/**
 * Between packets that come unevenly and a loudspeaker that wants samples evenly. Sound begins when `target` samples
 * wait, and begins so again after a gap; when more than `most` wait, what is oldest goes, so that no delay stays.
 *
 * Its text is carried into the audio thread: it names nothing outside itself.
 */
export class PlayoutBuffer {
  readonly #target: number;
  readonly #most: number;
  #chunks: Float32Array[] = [];
  #at = 0;
  #waiting = 0;
  #playing = false;

  constructor(target: number, most: number) {
    this.#target = target;
    this.#most = most;
  }

  get waiting(): number {
    return this.#waiting;
  }

  push(samples: Float32Array): void {
    this.#chunks.push(samples);
    this.#waiting += samples.length;
    if (this.#waiting > this.#most) this.#skip(this.#waiting - this.#target);
    if (this.#waiting >= this.#target) this.#playing = true;
  }

  /** Fills all of `into`; silence where nothing is there. */
  pull(into: Float32Array): void {
    into.fill(0);
    if (!this.#playing) return;
    let filled = 0;
    while (filled < into.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) {
        this.#playing = false;
        return;
      }
      const part = chunk.subarray(this.#at, this.#at + into.length - filled);
      into.set(part, filled);
      filled += part.length;
      this.#skip(part.length);
    }
  }

  #skip(count: number): void {
    this.#waiting -= count;
    this.#at += count;
    while (this.#chunks[0] !== undefined && this.#at >= this.#chunks[0].length) {
      this.#at -= this.#chunks[0].length;
      this.#chunks.shift();
    }
  }
}
