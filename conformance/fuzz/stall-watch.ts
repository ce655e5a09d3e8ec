import { isMainThread, Worker, workerData } from 'node:worker_threads';

/** An input that takes this long never ends. */
const STALL_MS = 20_000;
const LOOK_MS = 1000;
const MAX_INPUT_BYTES = 131_072;
const HEAD_WORDS = 2;

/**
 * Names the input in which the thread of the search hangs, and ends the process: a thread of its own looks at memory
 * that both share.
 */
export class StallWatch {
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #worker: Worker;

  constructor() {
    const memory = new SharedArrayBuffer(HEAD_WORDS * 4 + MAX_INPUT_BYTES);
    this.#head = new Int32Array(memory, 0, HEAD_WORDS);
    this.#bytes = new Uint8Array(memory, HEAD_WORDS * 4);
    this.#worker = new Worker(new URL(import.meta.url), { workerData: memory });
    this.#worker.unref();
  }

  begins(input: Uint8Array): void {
    this.#bytes.set(input.subarray(0, MAX_INPUT_BYTES));
    this.#head[1] = input.length;
    Atomics.add(this.#head, 0, 1);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function watch(memory: SharedArrayBuffer): void {
  const head = new Int32Array(memory, 0, HEAD_WORDS);
  const bytes = new Uint8Array(memory, HEAD_WORDS * 4);
  let [seen, sinceMs] = [0, performance.now()];
  setInterval(() => {
    const count = Atomics.load(head, 0);
    if (count !== seen) [seen, sinceMs] = [count, performance.now()];
    if (performance.now() - sinceMs < STALL_MS) return;
    const input = Buffer.from(bytes.slice(0, head[1])).toString('base64');
    process.stderr.write(`FOUND at input ${count}: no end within ${STALL_MS} ms\n  base64 ${input}\n`);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), LOOK_MS);
  }, LOOK_MS);
}

if (!isMainThread && workerData instanceof SharedArrayBuffer) watch(workerData);
