/** What was opened, closed in the opposite order; safe to run twice. */
export class Cleanup {
  readonly #work: (() => unknown)[] = [];
  #run: Promise<void> | undefined;

  add(work: () => unknown): void {
    this.#work.push(work);
  }

  /** A part that fails to close does not keep the others open; the first failure is thrown at the end. */
  run(): Promise<void> {
    this.#run ??= this.#closeAll();
    return this.#run;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let work = this.#work.pop(); work !== undefined; work = this.#work.pop()) {
      try {
        await work();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
