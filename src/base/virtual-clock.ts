import type { Cancel, Clock, Release } from './clock.ts';

interface Entry {
  readonly timeMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/**
 * Time that stands still until it is told to move, and while anything holds it. Timers run in order of time, then of
 * their making, each with `now()` at exactly its own time; promise reactions run between two timers.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  #holds = 0;
  #entries: Entry[] = [];
  #wake: (() => void) | undefined;

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  at(timeMs: number, fn: () => void): Cancel {
    const entry: Entry = { timeMs: Math.max(timeMs, this.#nowMs), order: this.#order++, fn };
    this.#insert(entry);
    this.#wake?.();
    return () => {
      const index = this.#entries.indexOf(entry);
      if (index >= 0) this.#entries.splice(index, 1);
    };
  }

  hold(): Release {
    this.#holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds -= 1;
      if (this.#holds === 0) this.#wake?.();
    };
  }

  /** How much holds it now. */
  get holds(): number {
    return this.#holds;
  }

  get pending(): number {
    return this.#entries.length;
  }

  /** Moves time forward by `durationMs`, running what falls due; waits in real time while anything holds the clock. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      await this.#quiet();
      const next = this.#entries[0];
      if (next === undefined || next.timeMs > endMs) break;
      this.#fire(next);
    }
    this.#nowMs = endMs;
    await this.#quiet();
  }

  /** Runs timers until `done` resolves; waits in real time while the clock is held or has no timer. */
  async runUntil<T>(done: Promise<T>): Promise<T> {
    let settled = false;
    const finish = (): void => {
      settled = true;
      this.#wake?.();
    };
    done.then(finish, finish);
    while (!settled) {
      await this.#quiet();
      const next = this.#entries[0];
      if (settled) break;
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else this.#fire(next);
    }
    this.#wake = undefined;
    return done;
  }

  #insert(entry: Entry): void {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#entries[middle] as Entry;
      if (other.timeMs <= entry.timeMs) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
  }

  #fire(entry: Entry): void {
    this.#entries.shift();
    this.#nowMs = Math.max(this.#nowMs, entry.timeMs);
    entry.fn();
  }

  /** Lets promise reactions and immediate work run; while anything holds the clock, waits and lets them run once more. */
  async #quiet(): Promise<void> {
    await nextTurn();
    while (this.#holds > 0) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      // What waited for the hold's end acts in promise reactions: it may hold again, or set a timer for this very time.
      await nextTurn();
    }
    this.#wake = undefined;
  }
}

// setTimeout waits a real millisecond each time; where the host has setImmediate, virtual time runs some ten times faster.
const immediate = (globalThis as { setImmediate?: (fn: () => void) => unknown }).setImmediate;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (immediate === undefined) setTimeout(resolve, 0);
    else immediate(resolve);
  });
}
