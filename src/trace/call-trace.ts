/** Between whom a message passed. The media channel's are not messages but what the sound itself did. */
export type Channel = 'page' | 'signalling' | 'sip' | 'rest' | 'webhook' | 'media';
export const CHANNELS: readonly Channel[] = ['page', 'signalling', 'sip', 'rest', 'webhook', 'media'];

/** The lane of this server; every message but a page's has it on one side. */
export const TANDEM = 'tandem';
/** In a message of the media channel: whoever the call is with, told by its signalling. */
export const PARTY = 'party';

/**
 * One message. Lanes are `tandem`, `rest`, `browser:IDENTITY`, `phone:HOST:PORT`, `application:ORIGIN`. Secrets are taken
 * out before a message becomes one of these; texts are untrusted and cut to a limit.
 */
export interface TraceMessage {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly channel: Channel;
  readonly from: string;
  readonly to: string;
  /** What it is: `INVITE`, `POST /voice`, `200 OK`. */
  readonly text: string;
  /** What matters in it, on one line; may be empty. */
  readonly detail: string;
  /** Answers an earlier one: drawn dashed. */
  readonly reply?: boolean;
  readonly callSid?: string;
}

/** A call of the family that a trace shows. */
export interface TracedCall {
  readonly sid: string;
  readonly parentCallSid: string | null;
  readonly from: string;
  readonly to: string;
  readonly direction: string;
  readonly status: string;
  readonly duration: number | null;
  /** Its errors and warnings, oldest first, as `error 32009: …`; what never became a message says why here. */
  readonly faults?: readonly string[];
}

/** A call and those that it made, with everything that passed, oldest first. */
export interface CallTrace {
  readonly calls: readonly TracedCall[];
  readonly messages: readonly TraceMessage[];
  /** Messages that no room was left for. */
  readonly dropped: number;
}

export const MAX_TEXT_CHARS = 120;
export const MAX_DETAIL_CHARS = 600;

/** A text on one line, within a limit. */
export function oneLine(text: string, maxChars: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`;
}
