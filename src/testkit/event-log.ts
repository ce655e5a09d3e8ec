const DEFAULT_WAIT_MS = 10_000;
/** How many of the latest events a failed wait shows. */
const SHOWN_EVENTS = 25;
const SHOWN_CHARS = 300;

export interface WaitOptions {
  /** Completes "timed out waiting for ...". */
  readonly what: string;
  readonly withinMs?: number;
  /** A mark() from before the action that causes the event; default: the very first event. */
  readonly from?: number;
}

interface Waiter<T> {
  readonly from: number;
  offer(event: T): void;
}

/** Everything that a peer has told, in order. Waiting looks at the past first, so an event that came early is not missed. */
export class EventLog<T> {
  readonly all: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  readonly #show: (event: T) => string;

  constructor(show: (event: T) => string = (event) => JSON.stringify(event)) {
    this.#show = show;
  }

  push(event: T): void {
    const index = this.all.push(event) - 1;
    for (const waiter of this.#waiters) if (index >= waiter.from) waiter.offer(event);
  }

  /** The place after the newest event. */
  mark(): number {
    return this.all.length;
  }

  /** The first event from the mark on that matches; rejects with what came instead when the time is over. */
  waitFor<Match extends T>(match: (event: T) => event is Match, options: WaitOptions): Promise<Match>;
  waitFor(match: (event: T) => boolean, options: WaitOptions): Promise<T>;
  async waitFor(match: (event: T) => boolean, options: WaitOptions): Promise<T> {
    const { what, withinMs = DEFAULT_WAIT_MS, from = 0 } = options;
    const past = this.all.slice(from).find(match);
    if (past !== undefined) return past;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter = { from, offer: (event: T) => (match(event) ? resolve(event) : undefined) };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => reject(new Error(this.#timedOut(what, withinMs))), withinMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  #timedOut(what: string, withinMs: number): string {
    const latest = this.all.slice(-SHOWN_EVENTS).map((event) => `  ${this.#show(event).slice(0, SHOWN_CHARS)}`);
    return `timed out after ${withinMs} ms waiting for ${what}; ${this.all.length} events, the latest:\n${latest.join('\n')}`;
  }
}
