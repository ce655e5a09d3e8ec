import type { AccountSid, CallSid, Sid } from '../../base/sid.ts';
import type { WriteStatement } from '../../store/store.ts';
import type { Recording } from '../model.ts';
import { integer, jsonOrNull, text, time } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type Changes, type RecordContext } from './owned-records.ts';
import { notFound, refusalOf } from './write-records.ts';

/** Where the sounds of recordings lie. */
export interface KeptSounds {
  /** Gives up one reference to the sound, in one write with the statements. */
  release(blobId: string, holder: readonly WriteStatement[]): Promise<void>;
}

export class Recordings extends OwnedRecords<Recording> {
  constructor(context: RecordContext) {
    super(context, {
      name: 'comms_recording',
      key: 'sid',
      sidPrefix: 'RE',
      columns: {
        sid: text(),
        accountSid: text(),
        callSid: text(),
        conferenceSid: text(),
        status: text(),
        source: text(),
        channels: integer(),
        track: text(),
        startTime: time(),
        duration: integer(),
        errorCode: integer(),
        blobId: text(),
        untoldEnd: jsonOrNull(),
        ...dateColumns,
      },
    });
  }

  updateStatement(sid: Sid<'RE'>, changes: Changes<Recording>): WriteStatement {
    return this.table.updateStatement([['sid', '=', sid]], this.dated(changes));
  }

  /** By the one who makes the recording, whosever it is. */
  async change(sid: Sid<'RE'>, changes: Changes<Recording>): Promise<void> {
    await this.write([this.updateStatement(sid, changes)]);
  }

  /** Recordings that were running, oldest first: after a restart they are closed. */
  unfinished(): Promise<readonly Recording[]> {
    return this.table.all([['status', 'in', ['in-progress', 'paused', 'processing']]]);
  }

  /** Recordings that have ended, and whose end was not told; oldest first. */
  async endsUntold(): Promise<readonly Recording[]> {
    const open = await this.table.all([['untoldEnd', '<>', null]]);
    return open.filter(({ status }) => status === 'completed' || status === 'absent');
  }

  /** Nothing of the recording itself changes, so its date does not; it may have been deleted meanwhile. */
  async endTold(sid: Sid<'RE'>): Promise<void> {
    await this.write([this.table.updateStatement([['sid', '=', sid]], { untoldEnd: null }, 'any')]);
  }

  /** Oldest first. */
  ofCall(sid: CallSid): Promise<readonly Recording[]> {
    return this.table.all([['callSid', '=', sid]]);
  }

  /** Keeps the record as `deleted`, and gives its sound back in the same write. */
  async discard(accountSid: AccountSid, sid: string, sounds: KeptSounds): Promise<void> {
    const recording = await this.find(accountSid, sid);
    if (recording === undefined || recording.status === 'deleted') throw notFound();
    const changes = this.dated({ status: 'deleted', blobId: null, untoldEnd: null });
    const where = [...this.own(accountSid, sid), ['status', '=', recording.status] as const];
    const gone = this.table.updateStatement(where, changes);
    if (recording.blobId === null) return this.write([gone]);
    try {
      await sounds.release(recording.blobId, [gone]);
    } catch (error) {
      throw refusalOf(error);
    }
  }
}
