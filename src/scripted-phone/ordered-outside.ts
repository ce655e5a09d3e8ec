import type { Deferred } from '../base/deferred.ts';
import { deferred } from '../base/deferred.ts';
import type { VirtualClock } from '../base/virtual-clock.ts';

interface Piece {
  isDone: boolean;
  readonly mayGoOn: Deferred<void>;
}

/**
 * Work in the world outside, several pieces at once in an order of their own. Their results are let in one by one, in the
 * order in which the pieces were begun, each when all that the one before it set off has come to rest: which of two
 * requests the application answers first does not change what happens.
 */
export class OrderedOutside {
  readonly #clock: VirtualClock;
  readonly #pieces: Piece[] = [];
  #isLettingIn = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Does the work. The caller holds the clock, once, from the beginning of this to its end; the work does not. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const piece: Piece = { isDone: false, mayGoOn: deferred() };
    this.#pieces.push(piece);
    try {
      return await work();
    } finally {
      piece.isDone = true;
      void this.#letIn();
      await piece.mayGoOn.promise;
    }
  }

  async #letIn(): Promise<void> {
    if (this.#isLettingIn) return;
    this.#isLettingIn = true;
    while (this.#pieces[0]?.isDone === true) {
      await this.#rest();
      this.#pieces.shift()?.mayGoOn.resolve();
    }
    this.#isLettingIn = false;
  }

  /** Resolves when nothing but pieces of work outside holds the clock. */
  async #rest(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#clock.holds > this.#pieces.length);
  }
}
