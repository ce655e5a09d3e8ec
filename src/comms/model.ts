import type { AccountSid, CallSid, Sid } from '../base/sid.ts';

// The records of the communication service, as the rest of `comms` and `api` see them. Times are milliseconds since the
// epoch; null means "not there" and is shown as null by the API.

export type HttpMethod = 'GET' | 'POST';

export interface Account {
  readonly sid: AccountSid;
  readonly friendlyName: string;
  readonly status: 'active' | 'suspended' | 'closed';
  readonly type: 'Trial' | 'Full';
  /** In the clear inside the process; encrypted in the store. */
  readonly authToken: string;
  readonly ownerAccountSid: AccountSid;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export interface Key {
  readonly sid: Sid<'SK'>;
  readonly accountSid: AccountSid;
  readonly friendlyName: string;
  readonly secret: string;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

/** Webhook addresses of a number, an application or a SIP domain: the study's application container. */
export interface VoiceHandling {
  readonly voiceUrl: string | null;
  readonly voiceMethod: HttpMethod;
  readonly voiceFallbackUrl: string | null;
  readonly voiceFallbackMethod: HttpMethod;
  readonly statusCallback: string | null;
  readonly statusCallbackMethod: HttpMethod;
}

export interface SmsHandling {
  readonly smsUrl: string | null;
  readonly smsMethod: HttpMethod;
  readonly smsFallbackUrl: string | null;
  readonly smsFallbackMethod: HttpMethod;
}

export interface IncomingPhoneNumber extends VoiceHandling, SmsHandling {
  readonly sid: Sid<'PN'>;
  readonly accountSid: AccountSid;
  readonly friendlyName: string;
  /** E.164 with +. */
  readonly phoneNumber: string;
  readonly voiceApplicationSid: Sid<'AP'> | null;
  readonly smsApplicationSid: Sid<'AP'> | null;
  readonly voiceCallerIdLookup: boolean;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export interface Application extends VoiceHandling, SmsHandling {
  readonly sid: Sid<'AP'>;
  readonly accountSid: AccountSid;
  readonly friendlyName: string;
  readonly voiceCallerIdLookup: boolean;
  readonly smsStatusCallback: string | null;
  readonly messageStatusCallback: string | null;
  readonly publicApplicationConnectEnabled: boolean;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export interface SipDomain extends VoiceHandling {
  readonly sid: Sid<'SD'>;
  readonly accountSid: AccountSid;
  readonly friendlyName: string;
  readonly domainName: string;
  readonly sipRegistration: boolean;
  readonly emergencyCallingEnabled: boolean;
  readonly secure: boolean;
  readonly byocTrunkSid: string | null;
  readonly emergencyCallerSid: string | null;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export interface CredentialList {
  readonly sid: Sid<'CL'>;
  readonly accountSid: AccountSid;
  readonly friendlyName: string;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

/** HA1 depends on the realm: one pair for each domain that the list is mapped to is made from the encrypted password. */
export interface SipCredential {
  readonly sid: Sid<'CR'>;
  readonly accountSid: AccountSid;
  readonly credentialListSid: Sid<'CL'>;
  readonly username: string;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

/** `kind` tells for what the list's credentials are good at the domain. */
export interface DomainMapping {
  readonly domainSid: Sid<'SD'>;
  readonly credentialListSid: Sid<'CL'>;
  readonly accountSid: AccountSid;
  readonly kind: 'registrations' | 'calls';
  readonly friendlyName: string;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export type CallStatus =
  'queued' | 'ringing' | 'in-progress' | 'completed' | 'busy' | 'failed' | 'no-answer' | 'canceled';
export const FINAL_CALL_STATUSES = [
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
] as const satisfies readonly CallStatus[];

export type CallDirection = 'inbound' | 'outbound-api' | 'outbound-dial';
export type CallProgressEvent = 'initiated' | 'ringing' | 'answered' | 'completed';

/**
 * Where a call stands inside, beside the status that the API shows. `dialling` is on disk before the INVITE leaves; a
 * call found so after a crash is closed as interrupted, never dialled again.
 */
export type CallStage = 'queued' | 'dialling' | 'live' | 'ended';

export interface Call {
  readonly sid: CallSid;
  readonly accountSid: AccountSid;
  readonly parentCallSid: CallSid | null;
  readonly to: string;
  readonly from: string;
  readonly phoneNumberSid: Sid<'PN'> | null;
  readonly status: CallStatus;
  readonly stage: CallStage;
  readonly direction: CallDirection;
  readonly startTime: number | null;
  readonly endTime: number | null;
  /** Whole seconds, null until the call ended. */
  readonly duration: number | null;
  readonly answeredBy: string | null;
  readonly forwardedFrom: string | null;
  readonly callerName: string | null;
  /** Milliseconds spent in the lane. */
  readonly queueTime: number;
  readonly trunkSid: string | null;
  readonly dateCreated: number;
  readonly dateUpdated: number;
  /** SIP status of the end, when there was one. */
  readonly sipResponseCode: number | null;
  /** Why it ended, for people: `interrupted by a restart`, `no route to +15551234`. */
  readonly endReason: string | null;
  /** Status events that have their number; the next one gets this. */
  readonly eventsNumbered: number;
  /** The call has ended and its application, which asked to hear so, has not been told yet. */
  readonly endUntold: boolean;
  /** How the call is to be run; kept as JSON text in the store. */
  readonly plan: CallPlan;
}

export interface CallPlan {
  readonly twiml?: string;
  readonly url?: string;
  readonly method?: HttpMethod;
  readonly fallbackUrl?: string;
  readonly fallbackMethod?: HttpMethod;
  readonly applicationSid?: string;
  readonly statusCallback?: string;
  readonly statusCallbackMethod?: HttpMethod;
  readonly statusCallbackEvents?: readonly CallProgressEvent[];
  readonly sendDigits?: string;
  readonly timeoutSeconds?: number;
  readonly timeLimitSeconds?: number;
  readonly callerId?: string;
  /** Given to the browser that is called. */
  readonly clientParameters?: Readonly<Record<string, string>>;
  readonly sipAuthUsername?: string;
  readonly sipAuthPassword?: string;
  readonly record?: boolean;
  readonly recordingChannels?: 'mono' | 'dual';
  readonly recordingStatusCallback?: string;
  readonly recordingStatusCallbackMethod?: HttpMethod;
  readonly recordingStatusCallbackEvents?: readonly RecordingEvent[];
  readonly trim?: boolean;
}

export type RecordingEvent = 'in-progress' | 'completed' | 'absent';
export type RecordingSource =
  | 'DialVerb'
  | 'Conference'
  | 'OutboundAPI'
  | 'Trunking'
  | 'RecordVerb'
  | 'StartCallRecordingAPI'
  | 'StartConferenceRecordingAPI';

/** Where the end of a recording is told, while it still has to be. */
export interface RecordingCallback {
  readonly url: string;
  readonly method: HttpMethod;
  readonly events: readonly RecordingEvent[];
}

export interface Recording {
  readonly sid: Sid<'RE'>;
  readonly accountSid: AccountSid;
  readonly callSid: CallSid;
  readonly conferenceSid: string | null;
  readonly status: 'in-progress' | 'paused' | 'stopped' | 'processing' | 'completed' | 'absent' | 'deleted';
  readonly source: RecordingSource;
  readonly channels: 1 | 2;
  readonly track: 'inbound' | 'outbound' | 'both';
  readonly startTime: number;
  /** Whole seconds. */
  readonly duration: number | null;
  readonly errorCode: number | null;
  readonly blobId: string | null;
  /** Its end is to be told there: written with its row, taken away once it was told. */
  readonly untoldEnd: RecordingCallback | null;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export interface Notification {
  readonly sid: Sid<'NO'>;
  readonly accountSid: AccountSid;
  readonly callSid: CallSid | null;
  /** '0' error, '1' warning. */
  readonly log: '0' | '1';
  readonly errorCode: number;
  readonly messageText: string;
  readonly messageDate: number;
  readonly requestMethod: string | null;
  readonly requestUrl: string | null;
  readonly requestVariables: string | null;
  readonly responseBody: string | null;
  readonly responseHeaders: string | null;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}
