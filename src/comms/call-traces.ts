import type { Clock } from '../base/clock.ts';
import type { CallSid } from '../base/sid.ts';
import type { CallStep } from './call-step.ts';
import type { CallObserver } from './calls/environment.ts';
import type { Call } from './model.ts';

/** Calls whose steps are kept; the oldest are forgotten first. */
export const MAX_CALLS_WITH_STEPS = 500;
/** Steps of one call; what comes after is counted, not kept. */
export const MAX_STEPS = 500;

/** A step with its number in the call and its time. */
export type TraceEntry = CallStep & { readonly number: number; readonly at: number };

export type TraceChange =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'entry'; readonly call: Call; readonly entry: TraceEntry };

export interface CallTracesOptions {
  readonly clock: Clock;
  readonly maxCalls?: number;
  readonly maxSteps?: number;
}

interface Trace {
  readonly entries: TraceEntry[];
  call: Call | undefined;
}

/** What calls did lately, step by step, in memory: to look at, not to account by. The rows and notifications outlive it. */
export class CallTraces implements CallObserver {
  readonly #clock: Clock;
  readonly #maxCalls: number;
  readonly #maxSteps: number;
  readonly #traces = new Map<CallSid, Trace>();
  readonly #watchers = new Set<(change: TraceChange) => void>();

  constructor({ clock, maxCalls = MAX_CALLS_WITH_STEPS, maxSteps = MAX_STEPS }: CallTracesOptions) {
    this.#clock = clock;
    this.#maxCalls = maxCalls;
    this.#maxSteps = maxSteps;
  }

  row(call: Call): void {
    this.#tell({ kind: 'call', call });
    const trace = this.#traceOf(call.sid);
    const before = trace.call?.status;
    trace.call = call;
    if (before === call.status) return;
    const { status, sipResponseCode: sipStatus, endReason: reason } = call;
    this.step(call, { kind: 'state', status, sipStatus, reason });
  }

  step(call: Call, step: CallStep): void {
    const { entries } = this.#traceOf(call.sid);
    if (entries.length >= this.#maxSteps) return;
    const entry = { ...step, number: entries.length, at: this.#clock.now() };
    entries.push(entry);
    this.#tell({ kind: 'entry', call, entry });
  }

  /** Undefined when nothing is known of the call any more: it is older than what is kept, or than this process. */
  of(sid: CallSid): readonly TraceEntry[] | undefined {
    return this.#traces.get(sid)?.entries.slice();
  }

  /** The row as it is in memory, which may be a write ahead of the disk. */
  latest(sid: CallSid): Call | undefined {
    return this.#traces.get(sid)?.call;
  }

  /** The result ends it. */
  watch(watcher: (change: TraceChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #traceOf(sid: CallSid): Trace {
    const known = this.#traces.get(sid);
    if (known !== undefined) return known;
    const made: Trace = { entries: [], call: undefined };
    this.#traces.set(sid, made);
    if (this.#traces.size > this.#maxCalls) {
      // A map keeps the order of insertion.
      const [oldest] = this.#traces.keys();
      if (oldest !== undefined) this.#traces.delete(oldest);
    }
    return made;
  }

  #tell(change: TraceChange): void {
    for (const watcher of this.#watchers) watcher(change);
  }
}
