import { setTimeout as pause } from 'node:timers/promises';

const ASK_EVERY_MS = 50;
const DEFAULT_WITHIN_MS = 5_000;

export interface EventuallyOptions<T> {
  readonly until: (value: T) => boolean;
  /** Completes "timed out waiting for ...". */
  readonly what: string;
  readonly withinMs?: number;
}

/** Asks again and again until the answer is the wanted one: for what tells no event. */
export async function eventually<T>(ask: () => Promise<T>, options: EventuallyOptions<T>): Promise<T> {
  const { until, what, withinMs = DEFAULT_WITHIN_MS } = options;
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (until(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`timed out after ${withinMs} ms waiting for ${what}; the latest: ${JSON.stringify(value)}`);
    }
    await pause(ASK_EVERY_MS);
  }
}
