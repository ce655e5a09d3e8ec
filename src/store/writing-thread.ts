import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '../base/deferred.ts';
import { errorText } from '../base/errors.ts';
import { checkedValues } from './bound-values.ts';
import { sqliteStoreError } from './sqlite-error.ts';
import type { WriterOptions } from './sqlite-writer.ts';
import { StoreError } from './store-error.ts';
import type { WriteStatement } from './store.ts';
import type { WriteOutcome } from './write-gate.ts';
import type { FromThread, SentOutcome, SentStatement, ToThread } from './writing-thread-messages.ts';

/** Texts that the thread is taught, each once. The code has fewer; texts made at run time begin the list anew. */
const MAX_TAUGHT_TEXTS = 1000;

/** What passes through is short-lived and small: a large young generation would only sit in memory. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8 };

const PROGRAM = fileURLToPath(new URL('./writing-thread-program.ts', import.meta.url));

/**
 * A `SqliteWriter` in a thread of its own: while it waits for the disk, requests are read and signalling is answered. One
 * group is there at a time. A thread that died is replaced at the next commit; what it had at that moment is refused,
 * though it may be on disk, as with a database server that goes away.
 */
export class WritingThread {
  readonly #options: WriterOptions;
  readonly #texts = new Map<string, number>();
  #worker: Worker | undefined;
  #answer: Deferred<readonly SentOutcome[]> | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#worker = this.#begin();
  }

  async commit(group: readonly (readonly WriteStatement[])[]): Promise<readonly WriteOutcome[]> {
    const refused = group.map(refusalOfValues);
    const outcomes = (await this.#send(group.filter((_, index) => refused[index] === undefined)))[Symbol.iterator]();
    return refused.map((refusal) => refusal ?? outcomeOf(outcomes.next().value));
  }

  /** Closes the database file; whatever was sent is committed before. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage({ kind: 'close' } satisfies ToThread);
    await gone;
  }

  async #send(group: readonly (readonly WriteStatement[])[]): Promise<readonly SentOutcome[]> {
    if (group.length === 0) return [];
    const worker = (this.#worker ??= this.#begin());
    const answer = (this.#answer = deferred<readonly SentOutcome[]>());
    // Only what waits for an answer keeps the process alive.
    worker.ref();
    worker.postMessage(this.#commitMessage(group));
    try {
      return await answer.promise;
    } finally {
      this.#answer = undefined;
      worker.unref();
    }
  }

  #commitMessage(group: readonly (readonly WriteStatement[])[]): ToThread {
    const forgetTexts = this.#texts.size > MAX_TAUGHT_TEXTS;
    if (forgetTexts) this.#texts.clear();
    const newTexts: string[] = [];
    let isPlain = true;
    const numbered = ({ sql, parameters, expectedRows }: WriteStatement): SentStatement => {
      let text = this.#texts.get(sql);
      if (text === undefined) {
        text = this.#texts.size;
        this.#texts.set(sql, text);
        newTexts.push(sql);
      }
      isPlain &&= !parameters.some((value) => value instanceof Uint8Array || typeof value === 'bigint');
      return [text, parameters, expectedRows ?? null];
    };
    const numberedGroup = group.map((statements) => statements.map(numbered));
    return { kind: 'commit', group: isPlain ? JSON.stringify(numberedGroup) : numberedGroup, newTexts, forgetTexts };
  }

  #begin(): Worker {
    this.#texts.clear();
    const worker = new Worker(PROGRAM, { workerData: this.#options, resourceLimits: THREAD_LIMITS });
    let reason = 'it ended';
    worker.on('message', ({ outcomes }: FromThread) => this.#answer?.resolve(outcomes));
    worker.on('error', (error) => (reason = errorText(error)));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#answer?.reject(new StoreError('failed', `the thread that writes to the database failed: ${reason}`));
    });
    worker.unref();
    return worker;
  }
}

/** Told here: not every value could be sent to be refused there. */
function refusalOfValues(statements: readonly WriteStatement[]): WriteOutcome | undefined {
  try {
    for (const { parameters } of statements) checkedValues(parameters);
    return undefined;
  } catch (error) {
    return { kind: 'refused', error: sqliteStoreError(error) };
  }
}

function outcomeOf(sent: SentOutcome | undefined): WriteOutcome {
  if (sent === undefined) return { kind: 'refused', error: new StoreError('failed', 'the write has no outcome') };
  return sent.kind === 'refused' ? { kind: 'refused', error: new StoreError(sent.code, sent.message) } : sent;
}
