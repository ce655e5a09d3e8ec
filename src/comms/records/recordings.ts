import type { AccountSid, Sid } from '../../base/sid.ts';
import type { WriteStatement } from '../../store/store.ts';
import type { Recording } from '../model.ts';
import { integer, text, time } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type Changes, type RecordContext } from './owned-records.ts';
import { notFound } from './write-records.ts';

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

  /** Keeps the record as `deleted`; resolves with the blob that it no longer refers to, for its owner to release. */
  async discard(accountSid: AccountSid, sid: string): Promise<string | null> {
    const recording = await this.find(accountSid, sid);
    if (recording === undefined || recording.status === 'deleted') throw notFound();
    const changes = this.dated({ status: 'deleted', blobId: null });
    const where = [...this.own(accountSid, sid), ['status', '=', recording.status] as const];
    await this.write([this.table.updateStatement(where, changes)]);
    return recording.blobId;
  }
}
