/** Base values of RFC 3261 17.1.1.1, Table 4, in milliseconds. */
export interface SipTimers {
  /** Estimate of the round trip. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions. */
  readonly t2Ms: number;
  /** Longest time that a message stays in the network. */
  readonly t4Ms: number;
}

export const DEFAULT_TIMERS: SipTimers = { t1Ms: 500, t2Ms: 4_000, t4Ms: 5_000 };

/** Timers B, F, H, J, L and M: how long a transaction may wait for its other side. */
export function transactionTimeoutMs(timers: SipTimers): number {
  return 64 * timers.t1Ms;
}

/** Timer D over datagrams: more than 32 s, whatever T1 is (17.1.1.2). */
export const TIMER_D_MS = 32_000;
