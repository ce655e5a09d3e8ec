import type { TaskGroup } from '../../base/lifecycle.ts';

/** Requests of which it is looked up who sends them, while the store is slow: beyond it they are refused at once. */
const MAX_LOOKUPS = 10_000;

/** Requests that wait for the store, in the background and bounded. */
export class Lookups {
  readonly #tasks: TaskGroup;
  readonly #maxLookups: number;
  #count = 0;

  constructor(tasks: TaskGroup, maxLookups = MAX_LOOKUPS) {
    this.#tasks = tasks;
    this.#maxLookups = maxLookups;
  }

  get isFull(): boolean {
    return this.#count >= this.#maxLookups;
  }

  run(work: () => Promise<void>): void {
    this.#count += 1;
    this.#tasks.run(async () => {
      try {
        await work();
      } finally {
        this.#count -= 1;
      }
    });
  }
}
