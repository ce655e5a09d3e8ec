/** Owner of background work: everything started through it is awaited at stop, and its failures are told once. */
export class TaskGroup {
  readonly #tasks = new Set<Promise<void>>();
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Runs `work` in the background; a rejection goes to the group's failure handler. */
  run(work: () => Promise<void>): void {
    const task: Promise<void> = work().then(
      () => void this.#tasks.delete(task),
      (error: unknown) => {
        this.#tasks.delete(task);
        this.#onFailure(error);
      },
    );
    this.#tasks.add(task);
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** Resolves when nothing that was started is still running. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
