import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { CallSid } from '../../base/sid.ts';
import type { Call, CallProgressEvent, HttpMethod } from '../model.ts';

const API_VERSION = '2010-04-01';
const DEFAULT_EVENTS: readonly CallProgressEvent[] = ['completed'];

/** What may change in a call's row after it was made. */
export type CallChanges = Partial<Omit<Call, 'sid' | 'accountSid' | 'dateCreated' | 'dateUpdated'>>;

export interface JournalPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Writes the changes; resolves when they are on disk. */
  update(sid: CallSid, changes: CallChanges): Promise<void>;
  /** Hands an event to ordered delivery: one at a time per call, repeated by the webhook rules. */
  deliver(call: Call, event: StatusEvent): void;
}

export interface StatusEvent {
  readonly url: string;
  readonly method: HttpMethod;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The one writer of a call's row, and the teller of its progress. Changes reach the disk in the order they were made. */
export class CallJournal {
  readonly #ports: JournalPorts;
  #call: Call;
  #writes: Promise<void> = Promise.resolve();
  #sequence = 0;
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
   * in memory stays right and is written whole with the next change.
   */
  change(changes: CallChanges): Promise<void> {
    this.#call = { ...this.#call, ...changes, dateUpdated: this.#ports.clock.now() };
    const { sid } = this.#call;
    const write = this.#writes.then(() => this.#ports.update(sid, changes));
    this.#writes = write.catch((error: unknown) => {
      this.#ports.log.error({ callSid: sid, error: errorText(error) }, 'a change of a call could not be written');
    });
    return this.#writes;
  }

  /** Tells the application, if it asked for this event; each event is told once. */
  tell(event: CallProgressEvent): void {
    if (this.#told.has(event)) return;
    this.#told.add(event);
    const { statusCallback, statusCallbackMethod, statusCallbackEvents } = this.#call.plan;
    if (statusCallback === undefined) return;
    if (!(statusCallbackEvents ?? DEFAULT_EVENTS).includes(event)) return;
    const parameters = {
      ...callParameters(this.#call),
      CallStatus: event === 'initiated' ? 'initiated' : this.#call.status,
      Timestamp: new Date(this.#ports.clock.now()).toUTCString().replace('GMT', '+0000'),
      CallbackSource: 'call-progress-events',
      SequenceNumber: String(this.#sequence++),
      ...(event === 'completed' ? this.#completedParameters() : {}),
    };
    this.#ports.deliver(this.#call, { url: statusCallback, method: statusCallbackMethod ?? 'POST', parameters });
  }

  /** Resolves when everything changed so far was written (or given up). */
  settled(): Promise<void> {
    return this.#writes;
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
