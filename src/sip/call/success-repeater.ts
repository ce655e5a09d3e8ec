import { after, type Cancel, type Clock } from '../../base/clock.ts';
import type { SipResponse } from '../../wire/sip/message.ts';
import { transactionTimeoutMs, type SipTimers } from '../timers.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';

/** Repeats a 2xx to INVITE from T1 to T2 until its ACK comes, on every transport (RFC 3261 13.3.1.4). */
export class SuccessRepeater {
  readonly sequence: number;
  readonly #cancels: Cancel[] = [];
  #stopNext: Cancel | undefined;
  #done = false;

  constructor(options: {
    readonly transaction: ServerTransaction;
    readonly response: SipResponse;
    readonly clock: Clock;
    readonly timers: SipTimers;
    readonly onGivenUp: () => void;
  }) {
    const { transaction, response, clock, timers, onGivenUp } = options;
    this.sequence = transaction.request.cseq;
    const repeat = (intervalMs: number): void => {
      this.#stopNext = after(clock, intervalMs, () => {
        transaction.respond(response);
        repeat(Math.min(intervalMs * 2, timers.t2Ms));
      });
    };
    transaction.respond(response);
    repeat(timers.t1Ms);
    this.#cancels.push(
      after(clock, transactionTimeoutMs(timers), () => {
        this.stop();
        onGivenUp();
      }),
    );
  }

  /** True the first time: the ACK that was waited for. */
  acknowledge(): boolean {
    const first = !this.#done;
    this.stop();
    return first;
  }

  stop(): void {
    this.#done = true;
    this.#stopNext?.();
    for (const cancel of this.#cancels) cancel();
  }
}
