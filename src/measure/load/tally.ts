import { Histogram } from './histogram.ts';

/** Distinct outcomes that are kept apart: a server that invents reasons must not fill the memory. */
export const MAX_OUTCOMES = 64;
const OTHER = 'others';

/** `label` names a failure: `503 Service Unavailable`, `no answer`. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly label: string };

export interface TallyView {
  readonly asked: number;
  readonly done: number;
  readonly failed: number;
  readonly unfinished: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Of what was done well, from the intended start. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}

/** What became of the work: counts by outcome, and latencies of what went well. */
export class Tally {
  readonly #latency = new Histogram();
  readonly #recent = new Histogram();
  readonly #failures = new Map<string, number>();
  #lastMs = 0;
  #asked = 0;
  #done = 0;
  #failed = 0;
  #before = { asked: 0, done: 0, failed: 0 };

  /** When the server last did its part; 0 when it never did. */
  get lastMs(): number {
    return this.#lastMs;
  }

  begin(): void {
    this.#asked += 1;
  }

  /** When the work was to begin, and when the server had done its part; told once, before `end`. */
  took(intendedMs: number, atMs: number): void {
    const latencyMs = atMs - intendedMs;
    this.#lastMs = Math.max(this.#lastMs, atMs);
    this.#latency.add(latencyMs);
    this.#recent.add(latencyMs);
  }

  end(outcome: Outcome): void {
    if (outcome.ok) {
      this.#done += 1;
      return;
    }
    this.#failed += 1;
    const known = this.#failures.has(outcome.label) || this.#failures.size < MAX_OUTCOMES;
    const label = known ? outcome.label : OTHER;
    this.#failures.set(label, (this.#failures.get(label) ?? 0) + 1);
  }

  /** What happened since the last look. */
  look(): {
    readonly asked: number;
    readonly done: number;
    readonly failed: number;
    readonly p50: number;
    readonly p99: number;
  } {
    const before = this.#before;
    this.#before = { asked: this.#asked, done: this.#done, failed: this.#failed };
    const [p50, p99] = [this.#recent.percentileMs(0.5), this.#recent.percentileMs(0.99)];
    this.#recent.clear();
    return {
      asked: this.#asked - before.asked,
      done: this.#done - before.done,
      failed: this.#failed - before.failed,
      p50,
      p99,
    };
  }

  view(): TallyView {
    const at = (share: number): number => round(this.#latency.percentileMs(share));
    return {
      asked: this.#asked,
      done: this.#done,
      failed: this.#failed,
      unfinished: this.#asked - this.#done - this.#failed,
      failures: Object.fromEntries([...this.#failures].toSorted(([, a], [, b]) => b - a)),
      latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: round(this.#latency.maxMs) },
    };
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
