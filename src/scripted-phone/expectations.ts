import { after } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { PhoneError, type PhoneErrorCode } from './phone-error.ts';
import type { PhoneTime } from './phone-time.ts';
import type { PhoneHappening } from './transcript.ts';

/** How long an expectation waits, in virtual time, unless it says otherwise. */
export const DEFAULT_PATIENCE_MS = 60_000;

export interface ExpectOptions {
  /** Virtual milliseconds. */
  readonly withinMs?: number;
}

export interface Condition {
  readonly code: PhoneErrorCode;
  readonly what: string;
  readonly withinMs?: number | undefined;
  /** True as soon as it holds. */
  readonly holds: () => boolean;
  /** What was there instead. */
  readonly instead: () => string;
  /** Whether the end of the call settles it. */
  readonly duringCall?: boolean;
}

export interface ExpectationsOptions {
  readonly time: PhoneTime;
  readonly patienceMs: number;
  readonly hasEnded: () => boolean;
  /** Told of each expectation that held or failed. */
  readonly onSettled: (happened: PhoneHappening) => void;
}

/** The expectations of one call: each lets virtual time pass until it holds, time is up, or the call ends. */
export class Expectations {
  readonly #options: ExpectationsOptions;
  readonly #watchers = new Set<() => void>();

  constructor(options: ExpectationsOptions) {
    this.#options = options;
  }

  /** Something happened: whoever waits looks again. */
  changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  /** Throws PhoneError when it does not come to hold. */
  async expect(condition: Condition): Promise<void> {
    const { hasEnded } = this.#options;
    const { what, holds, duringCall = false } = condition;
    const withinMs = condition.withinMs ?? this.#options.patienceMs;
    let held = false;
    const done = (): boolean => (held ||= holds()) || (duringCall && hasEnded());
    const inTime = await this.until(done, withinMs);
    if (held) return this.held(what);
    const why = inTime ? 'then the call ended' : `for ${withinMs / 1000} s`;
    throw this.failed(condition.code, what, `${condition.instead()}, ${why}`);
  }

  held(what: string): void {
    this.#options.onSettled({ kind: 'expected', what, held: true });
  }

  /** The error to throw. */
  failed(code: PhoneErrorCode, what: string, instead: string): PhoneError {
    this.#options.onSettled({ kind: 'expected', what, held: false, instead });
    return new PhoneError(code, `expected ${what}: ${instead}`);
  }

  /** False when time ran out before the condition held. */
  async until(done: () => boolean, withinMs?: number): Promise<boolean> {
    const { time } = this.#options;
    if (done()) return true;
    const outcome = deferred<boolean>();
    const watch = (): void => {
      if (done()) outcome.resolve(true);
    };
    const cancel = withinMs === undefined ? undefined : after(time.clock, withinMs, () => outcome.resolve(false));
    this.#watchers.add(watch);
    try {
      return await time.until(outcome.promise);
    } finally {
      this.#watchers.delete(watch);
      cancel?.();
    }
  }
}
