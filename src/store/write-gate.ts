import type { Clock } from '../base/clock.ts';
import { StoreError } from './store-error.ts';
import type { WriteResult, WriteStatement } from './store.ts';

/** Statements in one commit. A thousand rows hold SQLite's thread, which is the event loop, for about 9 ms. */
export const MAX_GROUP_STATEMENTS = 500;

/** Writes that may wait for a disk or a database that does not answer; beyond it they are refused at once. */
export const MAX_QUEUED_WRITES = 50_000;

/** What became of one write of a group; `again` puts it back to the front of the queue. */
export type WriteOutcome =
  | { readonly kind: 'done'; readonly results: readonly WriteResult[] }
  | { readonly kind: 'refused'; readonly error: StoreError }
  | { readonly kind: 'again' };

/** Runs all writes of the group in one transaction and commits; one outcome for each, in order. */
export type CommitGroup = (
  group: readonly (readonly WriteStatement[])[],
) => readonly WriteOutcome[] | Promise<readonly WriteOutcome[]>;

interface PendingWrite {
  readonly statements: readonly WriteStatement[];
  readonly resolve: (results: readonly WriteResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one way to the writing connection. Everything that is asked for while a commit runs, or in the same turn of the
 * event loop, shares the next commit; callers hear only after it, in the order of their calls.
 */
export class WriteGate {
  readonly #commit: CommitGroup;
  readonly #clock: Clock;
  #queue: PendingWrite[] = [];
  #draining: Promise<void> | undefined;
  #closed = false;

  readonly #maxQueued: number;

  constructor(commit: CommitGroup, clock: Clock, maxQueued = MAX_QUEUED_WRITES) {
    this.#commit = commit;
    this.#clock = clock;
    this.#maxQueued = maxQueued;
  }

  async submit(statements: readonly WriteStatement[]): Promise<readonly WriteResult[]> {
    if (this.#closed) throw new StoreError('closed', 'the store is closed: no write is taken any more');
    if (statements.length === 0) return [];
    if (this.#queue.length >= this.#maxQueued) {
      throw new StoreError(
        'overloaded',
        `${this.#maxQueued} writes wait for the store already: is its disk or server well?`,
      );
    }
    const release = this.#clock.hold();
    try {
      return await new Promise((resolve, reject) => {
        this.#queue.push({ statements, resolve, reject });
        this.#draining ??= this.#drain();
      });
    } finally {
      release();
    }
  }

  /** Takes no further write and resolves when all that were taken are settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.#flush(this.#takeGroup());
    }
    this.#draining = undefined;
  }

  #takeGroup(): PendingWrite[] {
    let statements = 0;
    let count = 0;
    for (const write of this.#queue) {
      statements += write.statements.length;
      if (count > 0 && statements > MAX_GROUP_STATEMENTS) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #flush(group: readonly PendingWrite[]): Promise<void> {
    let outcomes: readonly WriteOutcome[];
    try {
      outcomes = await this.#commit(group.map((write) => write.statements));
    } catch (error) {
      for (const write of group) write.reject(error);
      return;
    }
    const again = group.filter((write, index) => settle(write, outcomes[index]));
    this.#queue.unshift(...again);
  }
}

/** True when the write has to run again. */
function settle(write: PendingWrite, outcome: WriteOutcome | undefined): boolean {
  if (outcome?.kind === 'again') return true;
  if (outcome?.kind === 'done') write.resolve(outcome.results);
  else write.reject(outcome?.error ?? new StoreError('failed', 'the write has no outcome'));
  return false;
}
