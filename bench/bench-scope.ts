import type { Scope } from '../src/testkit/scope.ts';

/** Clean-up of one measurement, in the opposite order. */
export class BenchScope implements Scope {
  readonly #work: (() => void | Promise<void>)[] = [];

  after(cleanUp: () => void | Promise<void>): void {
    this.#work.push(cleanUp);
  }

  async close(): Promise<void> {
    for (let work = this.#work.pop(); work !== undefined; work = this.#work.pop()) await work();
  }
}

/** Runs one measurement and cleans up behind it. */
export async function measured<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = new BenchScope();
  try {
    return await work(scope);
  } finally {
    await scope.close();
  }
}
