import { deferred, type Deferred } from '../base/deferred.ts';
import type { VirtualClock } from '../base/virtual-clock.ts';
import type { PhoneTime } from './phone-time.ts';

/**
 * Virtual time that moves only while somebody waits for something: between two steps of a test it stands still, so that
 * what the test does in between takes no time at all.
 */
export class DrivenTime implements PhoneTime {
  readonly clock: VirtualClock;
  #waiting = 0;
  #idle: Deferred<void> = deferred();
  #loop: Promise<void> | undefined;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  /** Lets time pass until the promise settles. Several may wait at once. */
  until<T>(promise: Promise<T>): Promise<T> {
    this.#waiting += 1;
    const settled = (): void => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#idle.resolve();
    };
    promise.then(settled, settled);
    if (this.#loop === undefined) this.#loop = this.#run().finally(() => (this.#loop = undefined));
    return promise;
  }

  async #run(): Promise<void> {
    while (this.#waiting > 0) {
      this.#idle = deferred();
      await this.clock.runUntil(this.#idle.promise);
    }
  }
}
