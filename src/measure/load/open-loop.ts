import type { Cancel, Clock } from '../../base/clock.ts';
import { Histogram } from './histogram.ts';

export interface OpenLoopOptions {
  readonly clock: Clock;
  /** Offsets from the start, ascending. */
  readonly arrivals: Iterable<number>;
  /** Work that may be open at a time; what would exceed it is told to `skipped`, never left out in silence. */
  readonly maxOpen: number;
  /** Begins one piece of work; `intendedMs` is when it should have begun. It resolves when the work is over. */
  start(intendedMs: number, index: number): Promise<void>;
  skipped(index: number): void;
  readonly signal: AbortSignal;
}

export interface OpenLoopResult {
  readonly started: number;
  /** How late the generator itself began the work. */
  readonly lateness: Histogram;
  /** Work that is not over yet. */
  readonly open: ReadonlySet<Promise<void>>;
}

/** Begins work when the schedule says so, whether or not earlier work is over; resolves when the schedule has ended. */
export function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { clock, signal } = options;
  const due = options.arrivals[Symbol.iterator]();
  const open = new Set<Promise<void>>();
  const lateness = new Histogram();
  const startMs = clock.now();
  let [index, started] = [0, 0];
  let next = due.next();

  const begin = (intendedMs: number): void => {
    lateness.add(clock.now() - intendedMs);
    const number = index;
    index += 1;
    if (open.size >= options.maxOpen) return options.skipped(number);
    started += 1;
    const work: Promise<void> = options.start(intendedMs, number).finally(() => open.delete(work));
    open.add(work);
  };
  return new Promise((resolve) => {
    let cancel: Cancel = () => undefined;
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve({ started, lateness, open });
    };
    const turn = (): void => {
      while (next.done !== true && startMs + next.value <= clock.now()) {
        begin(startMs + next.value);
        next = due.next();
      }
      if (next.done === true) finish();
      else cancel = clock.at(startMs + next.value, turn);
    };
    if (signal.aborted) return finish();
    signal.addEventListener('abort', finish, { once: true });
    turn();
  });
}
