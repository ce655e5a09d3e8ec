import type { CallSid } from '../../base/sid.ts';
import type { LiveCall } from './live-call.ts';

/** Every call that is dialled or up in this process. */
export class LiveCalls {
  readonly #calls = new Map<CallSid, LiveCall>();
  #serve: ((live: LiveCall) => { stop(): void }) | undefined;

  /** What makes a call commandable while it is here. */
  onAdd(serve: (live: LiveCall) => { stop(): void }): void {
    this.#serve = serve;
  }

  /** The call stays until it has ended. */
  add(live: LiveCall): void {
    const { sid } = live.call;
    this.#calls.set(sid, live);
    const served = this.#serve?.(live);
    live.onEnd(() => {
      served?.stop();
      this.#calls.delete(sid);
    });
  }

  get(sid: CallSid): LiveCall | undefined {
    return this.#calls.get(sid);
  }

  all(): readonly LiveCall[] {
    return [...this.#calls.values()];
  }

  get size(): number {
    return this.#calls.size;
  }

  /** The call whose party's SIP dialog this is: Call-ID and both tags, for a stranger may know the Call-ID. */
  withDialog(dialogId: string): LiveCall | undefined {
    return this.all().find((live) => live.party?.dialogId === dialogId);
  }
}
