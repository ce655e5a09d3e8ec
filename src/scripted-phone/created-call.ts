import type { CallSid } from '../base/sid.ts';
import type { Call } from '../comms/model.ts';
import type { PlaceInMemory } from './place-in-memory.ts';

/** A call that the application made, as by Calls.create. It waits in its lane until its turn comes. */
export class CreatedCall {
  readonly sid: CallSid;
  readonly #place: PlaceInMemory;

  /** @internal */
  constructor(sid: CallSid, place: PlaceInMemory) {
    this.sid = sid;
    this.#place = place;
  }

  /** Where it stands now: `queued` while it waits. */
  async status(): Promise<Call['status']> {
    return (await this.#place.call(this.sid)).status;
  }

  /** Takes it out of the lane, or stops its ringing. Rejects when it is up or over. */
  async cancel(): Promise<void> {
    await this.#place.service.update(this.#place.account, this.sid, { status: 'canceled' });
  }
}
