/** Cancels a timer; safe to call twice and after it fired. */
export type Cancel = () => void;
/** Ends a hold; safe to call twice. */
export type Release = () => void;

/**
 * The one source of time. Every engine receives it; nothing else reads the system's clock.
 * Virtual time moves only while nothing holds it: a fetch, a store write, speech synthesis hold it.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions; never goes back within a process. */
  now(): number;
  /** Runs `fn` once at `timeMs` (as soon as possible when that is past). */
  at(timeMs: number, fn: () => void): Cancel;
  /** Keeps virtual time still until released. Real time takes no notice. */
  hold(): Release;
}

/** Runs `fn` once, `delayMs` from now. */
export function after(clock: Clock, delayMs: number, fn: () => void): Cancel {
  return clock.at(clock.now() + delayMs, fn);
}

/** Resolves `delayMs` from now, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal));
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(abortReason(signal));
    };
    const cancel = after(clock, delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}

/** Holds the clock while the work outside (a fetch, a write) is open. */
export async function holding<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const release = clock.hold();
  try {
    return await work();
  } finally {
    release();
  }
}

// setTimeout takes at most 2^31-1 ms; longer waits are taken in steps.
const LONGEST_TIMEOUT_MS = 2_147_483_647;

/** Real time: monotonic within the process, aligned with the wall clock at its start. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  at(timeMs, fn) {
    let handle: ReturnType<typeof setTimeout> | undefined;
    const arm = (): void => {
      const left = timeMs - systemClock.now();
      if (left <= LONGEST_TIMEOUT_MS) handle = setTimeout(fn, Math.max(0, left));
      else handle = setTimeout(arm, LONGEST_TIMEOUT_MS);
    };
    arm();
    return () => clearTimeout(handle);
  },
  hold: () => () => undefined,
};
