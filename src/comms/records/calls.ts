import type { CallSid } from '../../base/sid.ts';
import type { WriteStatement } from '../../store/store.ts';
import type { Call, CallPlan, CallStage } from '../model.ts';
import { flag, integer, text, time, type Column } from './columns.ts';
import { dateColumns } from './handling-columns.ts';
import { OwnedRecords, type Changes, type RecordContext } from './owned-records.ts';
import type { Condition } from './record-table.ts';
import type { Secrets } from './secrets.ts';
import { CommsError } from '../comms-error.ts';

export interface CallUpdateOptions {
  /** The write is refused unless the call stands there. */
  readonly expectStage?: CallStage;
}

export class Calls extends OwnedRecords<Call> {
  constructor(context: RecordContext) {
    super(context, {
      name: 'comms_call',
      key: 'sid',
      sidPrefix: 'CA',
      columns: {
        sid: text(),
        accountSid: text(),
        parentCallSid: text(),
        to: text(),
        from: text(),
        phoneNumberSid: text(),
        status: text(),
        stage: text(),
        direction: text(),
        startTime: time(),
        endTime: time(),
        duration: integer(),
        answeredBy: text(),
        forwardedFrom: text(),
        callerName: text(),
        queueTime: time(),
        trunkSid: text(),
        sipResponseCode: integer(),
        endReason: text(),
        eventsNumbered: integer(),
        endUntold: flag,
        plan: plan(context.secrets),
        ...dateColumns,
      },
    });
  }

  /** `dateUpdated` is now unless the changes say otherwise. */
  updateStatement(sid: CallSid, changes: Changes<Call>, options: CallUpdateOptions = {}): WriteStatement {
    const where: Condition<Call>[] = [['sid', '=', sid]];
    if (options.expectStage !== undefined) where.push(['stage', '=', options.expectStage]);
    return this.table.updateStatement(where, this.dated(changes));
  }

  /** False when the call is unknown or does not stand at `expectStage`; then nothing is written. */
  async change(sid: CallSid, changes: Changes<Call>, options: CallUpdateOptions = {}): Promise<boolean> {
    try {
      await this.write([this.updateStatement(sid, changes, options)]);
      return true;
    } catch (error) {
      if (error instanceof CommsError && error.code === 'not-found') return false;
      throw error;
    }
  }

  /** Whosever it is; for the call service. */
  findBySid(sid: CallSid): Promise<Call | undefined> {
    return this.table.find([['sid', '=', sid]]);
  }

  /** Calls that were being dialled or alive, oldest first: after a restart they are closed as interrupted. */
  unfinished(): Promise<readonly Call[]> {
    return this.table.all([['stage', 'in', ['dialling', 'live']]]);
  }

  /** Calls whose end their application was not told, oldest first: after a restart they are told. */
  endsUntold(): Promise<readonly Call[]> {
    return this.table.all([['endUntold', '=', 1]]);
  }

  /** Nothing of the call itself changes, so its date does not; it may have been deleted meanwhile. */
  async endTold(sid: CallSid): Promise<void> {
    await this.write([this.table.updateStatement([['sid', '=', sid]], { endUntold: false }, 'any')]);
  }
}

/** The password of a SIP target is the one secret of a plan. */
function plan(secrets: Secrets): Column<CallPlan> {
  const purpose = 'call.plan';
  return {
    encode: (value) => JSON.stringify(withPassword(value, (password) => secrets.seal(password, purpose))),
    decode: (stored) =>
      withPassword(JSON.parse(stored as string) as CallPlan, (password) => secrets.open(password, purpose)),
  };
}

function withPassword(value: CallPlan, turn: (password: string) => string): CallPlan {
  return value.sipAuthPassword === undefined ? value : { ...value, sipAuthPassword: turn(value.sipAuthPassword) };
}
