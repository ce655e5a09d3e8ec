import { TaskGroup } from '../base/lifecycle.ts';

/** Deliveries that may wait behind one key; an application that never answers must not fill the memory. */
export const MAX_WAITING_DELIVERIES = 200;

/** Runs deliveries of one key one after another, those of different keys side by side. */
export class OrderedDelivery {
  readonly #queues = new Map<string, (() => Promise<void>)[]>();
  readonly #tasks: TaskGroup;
  readonly #onFailure: (error: unknown) => void;

  /** `onFailure` hears what a delivery rejects with; the next one runs all the same. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
    this.#tasks = new TaskGroup(onFailure);
  }

  /** Takes the delivery and returns at once. False when too many wait: it is then not run. */
  deliver(key: string, work: () => Promise<void>): boolean {
    const waiting = this.#queues.get(key);
    if (waiting !== undefined) {
      if (waiting.length >= MAX_WAITING_DELIVERIES) return false;
      waiting.push(work);
      return true;
    }
    const queue = [work];
    this.#queues.set(key, queue);
    this.#tasks.run(() => this.#drain(key, queue));
    return true;
  }

  /** Resolves when everything taken so far was delivered or given up. */
  settled(): Promise<void> {
    return this.#tasks.settled();
  }

  async #drain(key: string, queue: (() => Promise<void>)[]): Promise<void> {
    for (let work = queue.shift(); work !== undefined; work = queue.shift()) {
      await work().catch((error: unknown) => this.#onFailure(error));
    }
    this.#queues.delete(key);
  }
}
