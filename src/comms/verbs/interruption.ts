/** The running verb is cut off: the party hung up, or the call was updated. Travels as the reason of an AbortSignal. */
export class Interruption extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'Interruption';
  }
}

/** Settles like `promise`, or rejects with the signal's reason when it aborts first; the promise is then left alone. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(reasonOf(signal));
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Interruption('aborted');
}
