import type { Clock } from '../base/clock.ts';

/** The time of the person at the phone: virtual, and let pass while somebody waits; or the real one, which passes by itself. */
export interface PhoneTime {
  readonly clock: Clock;
  /** Waits for the promise. Several may wait at once. */
  until<T>(promise: Promise<T>): Promise<T>;
}
