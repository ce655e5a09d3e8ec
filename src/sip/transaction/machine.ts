import type { SipTimers } from '../timers.ts';

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

/** What a transaction's shell does for its machine, in order. */
export type TransactionEffect =
  /** Sends the request, first or again. */
  | { readonly kind: 'send-request' }
  /** Sends the ACK for the final response that was just received (17.1.1.3). */
  | { readonly kind: 'send-ack' }
  /** Sends the latest response of the transaction user, first or again. */
  | { readonly kind: 'send-response' }
  /** Passes the message of the event to the transaction user. */
  | { readonly kind: 'deliver' }
  /** Starts a timer, or starts it anew. */
  | { readonly kind: 'arm'; readonly timer: TimerName; readonly afterMs: number }
  | { readonly kind: 'disarm'; readonly timer: TimerName }
  | { readonly kind: 'fail'; readonly cause: 'timeout' | 'transport' }
  /** The transaction is over and leaves its table. */
  | { readonly kind: 'terminate' };

export interface Step<State> {
  readonly state: State;
  readonly effects: readonly TransactionEffect[];
}

export interface MachineContext {
  readonly timers: SipTimers;
  /** Streams need no retransmissions and no time to absorb them. */
  readonly reliable: boolean;
}

export function stay<State>(state: State, ...effects: readonly TransactionEffect[]): Step<State> {
  return { state, effects };
}
