import { after, type Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { CallSid } from '../../base/sid.ts';
import { CommsError } from '../comms-error.ts';
import type { Call, CallPlan, CallProgressEvent, HttpMethod } from '../model.ts';

const API_VERSION = '2010-04-01';
const DEFAULT_EVENTS: readonly CallProgressEvent[] = ['completed'];
/** What a full disk refused is tried again this often, and so many times: an hour. */
export const REWRITE_MS = 5000;
export const MAX_REWRITES = 720;

/** What may change in a call's row after it was made. */
export type CallChanges = Partial<Omit<Call, 'sid' | 'accountSid' | 'dateCreated' | 'dateUpdated'>>;

export interface JournalPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Writes the changes; resolves when they are on disk. */
  update(sid: CallSid, changes: CallChanges): Promise<void>;
  /** Hands an event to ordered delivery: one at a time per call, repeated by the webhook rules. */
  deliver(call: Call, event: StatusEvent): void;
  /** The last event was delivered or given up: the next start need not tell it. */
  endTold(sid: CallSid): Promise<void>;
  /** The row as it is now, in memory. */
  changed?(call: Call): void;
}

export interface StatusEvent {
  readonly url: string;
  readonly method: HttpMethod;
  readonly parameters: Readonly<Record<string, string>>;
  /** Runs once the event was delivered or given up. */
  readonly afterwards?: () => Promise<void>;
}

/** The one writer of a call's row, and the teller of its progress. Changes reach the disk in the order they were made. */
export class CallJournal {
  readonly #ports: JournalPorts;
  #call: Call;
  #writes: Promise<void> = Promise.resolve();
  /** Changes that are in memory only. */
  #unwritten: CallChanges | undefined;
  #rewrites = 0;
  #recording: { readonly url: string; readonly sid: string; readonly durationSeconds: number } | undefined;
  readonly #told = new Set<CallProgressEvent>();

  constructor(call: Call, ports: JournalPorts) {
    this.#call = call;
    this.#ports = ports;
  }

  /** The call as it is now; the disk may be a write behind. */
  get call(): Call {
    return this.#call;
  }

  /** The last recording, for the parameters of the completed event. */
  recorded(recording: { readonly url: string; readonly sid: string; readonly durationSeconds: number }): void {
    this.#recording = recording;
  }

  /**
   * Changes the row. Resolves when the change is on disk; a full disk is logged and does not end a live call: the row
   * in memory stays right, and what was refused is written with the next change or by itself a little later.
   */
  change(changes: CallChanges): Promise<void> {
    const whole = withUntoldEnd(changes, this.#call.plan);
    this.#call = { ...this.#call, ...whole, dateUpdated: this.#ports.clock.now() };
    this.#ports.changed?.(this.#call);
    this.#unwritten = { ...this.#unwritten, ...whole };
    return this.#flush();
  }

  /**
   * Tells the application, if it asked for this event, once what it says and its number are on disk: after a crash the
   * numbers go on. Each event is told once; the last one again when a crash came before it was noted as told.
   */
  tell(event: CallProgressEvent): void {
    if (this.#told.has(event)) return;
    this.#told.add(event);
    const { sid, plan, eventsNumbered } = this.#call;
    const { statusCallback, statusCallbackMethod } = plan;
    if (statusCallback === undefined || !asksFor(event, plan)) return;
    const parameters = {
      ...callParameters(this.#call),
      CallStatus: event === 'initiated' ? 'initiated' : this.#call.status,
      Timestamp: new Date(this.#ports.clock.now()).toUTCString().replace('GMT', '+0000'),
      CallbackSource: 'call-progress-events',
      SequenceNumber: String(eventsNumbered),
      ...(event === 'completed' ? this.#completedParameters() : {}),
    };
    const isLast = event === 'completed';
    const about = this.#call;
    // The last event needs no count: nothing is numbered after it.
    if (!isLast) void this.change({ eventsNumbered: eventsNumbered + 1 });
    this.#writes = this.#writes.then(() => {
      this.#ports.deliver(about, {
        url: statusCallback,
        method: statusCallbackMethod ?? 'POST',
        parameters,
        ...(isLast ? { afterwards: () => this.#ports.endTold(sid) } : {}),
      });
    });
  }

  /** Resolves when everything changed so far was written (or given up), and what was told is in the hands of delivery. */
  settled(): Promise<void> {
    return this.#writes;
  }

  #flush(): Promise<void> {
    this.#writes = this.#writes.then(() => this.#write());
    return this.#writes;
  }

  async #write(): Promise<void> {
    const changes = this.#takeUnwritten();
    // The write before took it along.
    if (changes === undefined) return;
    const { sid } = this.#call;
    try {
      await this.#ports.update(sid, changes);
      this.#rewrites = 0;
    } catch (error) {
      this.#ports.log.error({ callSid: sid, error: errorText(error) }, 'a change of a call could not be written');
      // Deleted meanwhile: there is no row to be right.
      if (error instanceof CommsError && error.code === 'not-found') return;
      this.#unwritten = { ...changes, ...this.#unwritten };
      this.#rewriteLater();
    }
  }

  #takeUnwritten(): CallChanges | undefined {
    const changes = this.#unwritten;
    this.#unwritten = undefined;
    return changes;
  }

  #rewriteLater(): void {
    this.#rewrites += 1;
    if (this.#rewrites > MAX_REWRITES) return;
    after(this.#ports.clock, REWRITE_MS, () => void this.#flush());
  }

  #completedParameters(): Record<string, string> {
    const { duration, sipResponseCode } = this.#call;
    const recording = this.#recording;
    return {
      CallDuration: String(duration ?? 0),
      // Billed minutes, begun ones whole.
      Duration: String(Math.ceil((duration ?? 0) / 60)),
      ...(sipResponseCode === null ? {} : { SipResponseCode: String(sipResponseCode) }),
      ...(recording === undefined
        ? {}
        : {
            RecordingUrl: recording.url,
            RecordingSid: recording.sid,
            RecordingDuration: String(recording.durationSeconds),
          }),
    };
  }
}

function asksFor(event: CallProgressEvent, { statusCallback, statusCallbackEvents }: CallPlan): boolean {
  return statusCallback !== undefined && (statusCallbackEvents ?? DEFAULT_EVENTS).includes(event);
}

/** The end of a call whose application wants to hear of it: the same write says that this is still to be done. */
export function withUntoldEnd(changes: CallChanges, plan: CallPlan): CallChanges {
  return changes.stage === 'ended' && asksFor('completed', plan) ? { ...changes, endUntold: true } : changes;
}

/** Parameters that every request about a call carries. */
export function callParameters(call: Call): Record<string, string> {
  return {
    CallSid: call.sid,
    AccountSid: call.accountSid,
    From: call.from,
    To: call.to,
    Caller: call.from,
    Called: call.to,
    CallStatus: call.status,
    Direction: call.direction,
    ApiVersion: API_VERSION,
    ...(call.parentCallSid === null ? {} : { ParentCallSid: call.parentCallSid }),
    ...(call.forwardedFrom === null ? {} : { ForwardedFrom: call.forwardedFrom }),
    ...(call.callerName === null ? {} : { CallerName: call.callerName }),
  };
}
