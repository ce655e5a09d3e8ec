import { errorText } from '../../base/errors.ts';

/** What a run made at the server, taken away again in the opposite order, whatever became of the run. */
export class CleanUp {
  readonly #work: { readonly what: string; readonly undo: () => Promise<unknown> }[] = [];

  add(what: string, undo: () => Promise<unknown>): void {
    this.#work.push({ what, undo });
  }

  /** What could not be taken away. */
  async run(): Promise<readonly string[]> {
    const left: string[] = [];
    for (let next = this.#work.pop(); next !== undefined; next = this.#work.pop()) {
      try {
        await next.undo();
      } catch (error) {
        left.push(`${next.what}: ${errorText(error)}`);
      }
    }
    return left;
  }
}

/** Runs `work` on each item, a few at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
