import { SpeechError } from './speech-error.ts';

/** Runs at most so much work at once; the rest waits its turn, up to a limit. */
export class WorkLimit {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** Rejects with SpeechError `failed` when too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running += 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place goes straight to the next in line, so nobody overtakes.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new SpeechError('failed', `${this.#maxWaiting} texts wait to be spoken already: try again later`);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
