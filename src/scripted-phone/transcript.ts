import type { HttpMethod } from '../comms/model.ts';
import type { Hearing } from './hearing.ts';

/** One thing that happened. `at`: virtual seconds since the phone was opened; `call`: the number of the call, from 1. */
export type PhoneEvent = { readonly at: number; readonly call: number } & PhoneHappening;

export type PhoneHappening =
  | { readonly kind: 'calls' | 'called'; readonly from: string; readonly to: string }
  | { readonly kind: 'ringing' | 'answered' }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }
  /** A sound that the service played has passed the phone's leg (or should have). */
  | ({ readonly kind: 'heard' } & Hearing)
  /** A key that the service sent. */
  | { readonly kind: 'key'; readonly digit: string }
  | { readonly kind: 'pressed'; readonly digits: string }
  | { readonly kind: 'said'; readonly text: string }
  /** A request to the application; `status` 0 when there was no answer, `answer` then says why. */
  | {
      readonly kind: 'request';
      readonly method: HttpMethod | 'HEAD' | 'PUT' | 'DELETE';
      readonly url: string;
      readonly parameters: Readonly<Record<string, string>>;
      readonly status: number;
      readonly answer: string;
    }
  | { readonly kind: 'fault'; readonly code: number; readonly level: 'error' | 'warning'; readonly message: string }
  /** `path` where recordings are kept. */
  | { readonly kind: 'recorded'; readonly sid: string; readonly seconds: number; readonly path?: string }
  | { readonly kind: 'ended'; readonly by: 'service' | 'phone'; readonly status: string; readonly seconds: number }
  /** An expectation, and whether it held. */
  | { readonly kind: 'expected'; readonly what: string; readonly held: boolean; readonly instead?: string };

type Happened = Omit<PhoneEvent, 'at' | 'call'> & PhoneHappening;

/**
 * What happened, in order. A request has its place from the moment that it leaves, so that two that run at once stand
 * in the same order each time.
 */
export class Transcript {
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #onEvent: (event: PhoneEvent) => void;
  readonly #places: (PhoneEvent | undefined)[] = [];
  #told = 0;

  constructor(now: () => number, onEvent: (event: PhoneEvent) => void = () => undefined) {
    this.#now = now;
    this.#startMs = now();
    this.#onEvent = onEvent;
  }

  get events(): readonly PhoneEvent[] {
    return this.#places.filter((event) => event !== undefined);
  }

  add(call: number, happened: Happened): void {
    this.reserve(call)(happened);
  }

  /** Keeps the place (and time) of what is not known yet. */
  reserve(call: number): (happened: Happened) => void {
    const place = this.#places.push(undefined) - 1;
    const at = Math.round(this.#now() - this.#startMs) / 1000;
    return (happened) => {
      this.#places[place] = { at, call, ...happened };
      this.#tell();
    };
  }

  #tell(): void {
    for (let event = this.#places[this.#told]; event !== undefined; event = this.#places[this.#told]) {
      this.#told += 1;
      this.#onEvent(event);
    }
  }
}
