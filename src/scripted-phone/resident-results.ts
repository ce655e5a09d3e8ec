import { lineOf } from './transcript-text.ts';
import type { PhoneEvent } from './transcript.ts';

/** Calls of one phone that are remembered, and happenings of one call. */
const MAX_RESULTS = 100;
const MAX_EVENTS = 500;

/** What became of one call of a scripted phone. */
export interface ResidentResult {
  /** From 1, since the phone was added or the server started. */
  readonly call: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly direction: 'in' | 'out';
  readonly from: string;
  readonly to: string;
  readonly state: 'running' | 'held' | 'failed';
  /** The line that failed, and why. */
  readonly line?: string;
  readonly why?: string;
  /** What happened, as lines for people and as data. */
  readonly transcript: readonly string[];
  readonly events: readonly PhoneEvent[];
}

type Writable = { -readonly [K in keyof Omit<ResidentResult, 'transcript' | 'events'>]: ResidentResult[K] };

/** One call while it runs. */
export class ResidentRecord {
  readonly #result: Writable;
  readonly #events: PhoneEvent[] = [];

  constructor(begun: Omit<ResidentResult, 'state' | 'transcript' | 'events'>) {
    this.#result = { ...begun, state: 'running' };
  }

  add(event: PhoneEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
  }

  finish(outcome: Pick<ResidentResult, 'line' | 'why'> & { readonly held: boolean }): ResidentResult {
    this.#result.state = outcome.held ? 'held' : 'failed';
    if (outcome.line !== undefined) this.#result.line = outcome.line;
    if (outcome.why !== undefined) this.#result.why = outcome.why;
    return this.result;
  }

  get result(): ResidentResult {
    return { ...this.#result, transcript: this.#events.map((event) => lineOf(event)), events: [...this.#events] };
  }
}

/** The last calls of one phone. */
export class ResidentResults {
  readonly #records: ResidentRecord[] = [];
  #calls = 0;

  begin(
    begun: Omit<ResidentResult, 'call' | 'state' | 'transcript' | 'events'>,
  ): ResidentRecord & { readonly number: number } {
    this.#calls += 1;
    const record = Object.assign(new ResidentRecord({ call: this.#calls, ...begun }), { number: this.#calls });
    this.#records.push(record);
    if (this.#records.length > MAX_RESULTS) this.#records.shift();
    return record;
  }

  list(): readonly ResidentResult[] {
    return this.#records.map(({ result }) => result);
  }
}
