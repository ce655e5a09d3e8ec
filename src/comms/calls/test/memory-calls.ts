import type { AccountSid, CallSid } from '../../../base/sid.ts';
import { CommsError } from '../../comms-error.ts';
import type { Call } from '../../model.ts';
import type { CallChanges } from '../call-journal.ts';
import type { CallStore } from '../environment.ts';

/** Rows in memory; the lane lets calls out when the test says so. */
export class MemoryCalls implements CallStore {
  readonly rows = new Map<CallSid, Call>();
  readonly waiting: CallSid[] = [];
  full = false;
  /** Every stage and status that reached the disk, in order. */
  readonly written: string[] = [];

  insert(call: Call): Promise<void> {
    if (this.full) return Promise.reject(storageFull());
    this.rows.set(call.sid, call);
    return Promise.resolve();
  }

  async enqueue(call: Call): Promise<void> {
    await this.insert(call);
    this.waiting.push(call.sid);
  }

  /** The lane takes the oldest call; undefined when none waits. */
  take(): Call | undefined {
    const sid = this.waiting.shift();
    const call = sid === undefined ? undefined : this.rows.get(sid);
    if (call === undefined) return undefined;
    const taken: Call = { ...call, stage: 'dialling' };
    this.rows.set(call.sid, taken);
    return taken;
  }

  async cancelQueued(call: Call, changes: CallChanges): Promise<boolean> {
    const at = this.waiting.indexOf(call.sid);
    if (at < 0) return false;
    this.waiting.splice(at, 1);
    await this.update(call.sid, changes);
    return true;
  }

  update(sid: CallSid, changes: CallChanges): Promise<void> {
    if (this.full) return Promise.reject(storageFull());
    const row = this.rows.get(sid);
    if (row === undefined) {
      return Promise.reject(new CommsError('not-found', 'no such call', { faultCode: 20_404, httpStatus: 404 }));
    }
    this.rows.set(sid, { ...row, ...changes });
    if (changes.status !== undefined) this.written.push(changes.status);
    return Promise.resolve();
  }

  find(accountSid: AccountSid, sid: CallSid): Promise<Call | undefined> {
    const row = this.rows.get(sid);
    return Promise.resolve(row?.accountSid === accountSid ? row : undefined);
  }

  unfinished(): Promise<readonly Call[]> {
    return Promise.resolve([...this.rows.values()].filter(({ stage }) => stage === 'dialling' || stage === 'live'));
  }

  endsUntold(): Promise<readonly Call[]> {
    return Promise.resolve([...this.rows.values()].filter(({ endUntold }) => endUntold));
  }

  endTold(sid: CallSid): Promise<void> {
    const row = this.rows.get(sid);
    if (row !== undefined) this.rows.set(sid, { ...row, endUntold: false });
    return Promise.resolve();
  }
}

export function storageFull(): CommsError {
  return new CommsError('storage-full', 'the disk is full', { faultCode: 20_503, httpStatus: 503 });
}
