import type { CallSid, Sid } from '../base/sid.ts';
import type { Address } from './address.ts';
import type { Account, Call, CallPlan, HttpMethod, Recording, RecordingEvent } from './model.ts';

/** A request whose form was checked at the door: addresses parsed, URLs absolute http(s), ranges kept. */
export interface CallRequest {
  readonly to: Address;
  readonly from: Address;
  /** Exactly one of `url`, `twiml`, `applicationSid` is there. */
  readonly plan: CallPlan;
}

/** What to run next on a live call. */
export type CallRedirect =
  | { readonly twiml: string }
  | {
      readonly url: string;
      readonly method: HttpMethod;
      readonly fallbackUrl?: string;
      readonly fallbackMethod?: HttpMethod;
    };

/** All parts are optional; they are taken together. */
export interface CallChange {
  /** `canceled` ends only a call that is queued or ringing, `completed` also a live one. */
  readonly status?: 'canceled' | 'completed';
  readonly redirect?: CallRedirect;
  readonly statusCallback?: string;
  readonly statusCallbackMethod?: HttpMethod;
  /** Seconds from the answer. */
  readonly timeLimitSeconds?: number;
}

export interface StartRecordingOptions {
  readonly channels: 'mono' | 'dual';
  readonly track: 'inbound' | 'outbound' | 'both';
  readonly trim: boolean;
  readonly statusCallback?: string;
  readonly statusCallbackMethod: HttpMethod;
  readonly statusCallbackEvents: readonly RecordingEvent[];
}

export interface RecordingChange {
  readonly status: 'in-progress' | 'paused' | 'stopped';
  /** What stands for the paused time: nothing, or silence. */
  readonly pauseBehavior: 'skip' | 'silence';
}

/**
 * What the REST door asks of the call service. Every method rejects with a CommsError: 20404 for an unknown call,
 * 21220 for one that is not in a usable state, 21210, 21216, 21218 and the like for business rules.
 */
export interface CallCommands {
  /** The call is on disk as `queued` (or further) when this resolves. */
  create(account: Account, request: CallRequest): Promise<Call>;
  /** Resolves with the call as it is after the change was accepted. */
  update(account: Account, callSid: CallSid, change: CallChange): Promise<Call>;
  startRecording(account: Account, callSid: CallSid, options: StartRecordingOptions): Promise<Recording>;
  /** `current` is the recording that the API started and that runs now (`Twilio.CURRENT` on the wire). */
  updateRecording(
    account: Account,
    callSid: CallSid,
    recordingSid: Sid<'RE'> | 'current',
    change: RecordingChange,
  ): Promise<Recording>;
  /** What the page of a browser says during the call is posted to `callback`; gives the subscription's sid. */
  subscribeMessages(
    account: Account,
    callSid: CallSid,
    wanted: { readonly callback: string; readonly method: HttpMethod },
  ): Promise<Sid<'ZY'>>;
  /** False when there is no such subscription. */
  unsubscribeMessages(account: Account, callSid: CallSid, sid: string): Promise<boolean>;
  /** Sends a text to the page of a browser in the call; gives the message's sid. */
  sendMessage(account: Account, callSid: CallSid, content: string): Promise<Sid<'KX'>>;
}
