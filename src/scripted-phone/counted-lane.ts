import { deferred, type Deferred } from '../base/deferred.ts';
import type { CallSid } from '../base/sid.ts';
import type { CallChanges } from '../comms/calls/call-journal.ts';
import { CallLane } from '../comms/calls/call-lane.ts';
import type { Call } from '../comms/model.ts';

/** The lane, knowing which calls have not ended: those that wait in it too. */
export class CountedLane extends CallLane {
  readonly #open = new Set<CallSid>();
  #empty: Deferred<void> | undefined;

  override async insert(call: Call): Promise<void> {
    await super.insert(call);
    this.#open.add(call.sid);
  }

  override async enqueue(call: Call): Promise<void> {
    await super.enqueue(call);
    this.#open.add(call.sid);
  }

  override async cancelQueued(call: Call, changes: CallChanges): Promise<boolean> {
    const canceled = await super.cancelQueued(call, changes);
    if (canceled) this.#ended(call.sid);
    return canceled;
  }

  override async update(sid: CallSid, changes: CallChanges): Promise<void> {
    await super.update(sid, changes);
    if (changes.stage === 'ended') this.#ended(sid);
  }

  /** Resolves when every call has ended. */
  async empty(): Promise<void> {
    if (this.#open.size === 0) return;
    this.#empty ??= deferred();
    await this.#empty.promise;
  }

  #ended(sid: CallSid): void {
    this.#open.delete(sid);
    if (this.#open.size > 0) return;
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}
