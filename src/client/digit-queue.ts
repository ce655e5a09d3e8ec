import { after, type Cancel, type Clock } from '../base/clock.ts';
import { DIGIT_PAUSE_MS, MAX_WAITING_DIGITS } from './limits.ts';

/** Keys on their way to the server, in order: they wait out pauses, and for the connection. */
export class DigitQueue {
  readonly #clock: Clock;
  /** False: there is no connection now. */
  readonly #send: (digits: string) => boolean;
  #waiting = '';
  #pause: Cancel | undefined;

  constructor(clock: Clock, send: (digits: string) => boolean) {
    this.#clock = clock;
    this.#send = send;
  }

  press(digits: string): void {
    this.#waiting = (this.#waiting + digits.toLowerCase()).slice(0, MAX_WAITING_DIGITS);
    this.flush();
  }

  flush(): void {
    while (this.#pause === undefined && this.#waiting !== '') {
      if (this.#waiting.startsWith('w')) {
        this.#waiting = this.#waiting.slice(1);
        this.#wait();
        return;
      }
      const [keys = ''] = this.#waiting.split('w', 1);
      if (!this.#send(keys)) return;
      this.#waiting = this.#waiting.slice(keys.length);
    }
  }

  close(): void {
    this.#pause?.();
    this.#waiting = '';
  }

  #wait(): void {
    this.#pause = after(this.#clock, DIGIT_PAUSE_MS, () => {
      this.#pause = undefined;
      this.flush();
    });
  }
}
