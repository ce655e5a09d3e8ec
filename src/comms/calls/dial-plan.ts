import { collapse, type TwimlElement } from '../../wire/twiml/document.ts';
import type { CallProgressEvent, HttpMethod, RecordingEvent } from '../model.ts';
import { MAX_CALL_SECONDS } from './live-call.ts';

const DEFAULT_TIMEOUT_SECONDS = 30;
const MAX_TIMEOUT_SECONDS = 600;

/** A Dial names at most this many callees. */
export const MAX_CALLEES = 10;

const MAX_CLIENT_PARAMETERS = 32;

export interface CalleePlan {
  /** As written: a number, a SIP address, `client:` and identity. */
  readonly to: string;
  readonly whisperUrl?: string;
  readonly whisperMethod: HttpMethod;
  readonly sendDigits?: string;
  /** Parameter children of a Client. */
  readonly clientParameters?: Readonly<Record<string, string>>;
  readonly username?: string;
  readonly password?: string;
  readonly statusCallback?: string;
  readonly statusCallbackMethod: HttpMethod;
  readonly statusCallbackEvents: readonly CallProgressEvent[];
}

export interface DialPlan {
  readonly callees: readonly CalleePlan[];
  readonly timeoutSeconds: number;
  readonly timeLimitSeconds: number;
  readonly hangupOnStar: boolean;
  readonly answerOnBridge: boolean;
  readonly sequential: boolean;
  readonly callerId?: string;
  readonly ringTone?: string;
  /** Undefined: not recorded. */
  readonly record?: { readonly channels: 1 | 2; readonly track: 'inbound' | 'outbound' | 'both' };
  readonly trim: boolean;
  readonly recordingStatusCallback?: string;
  readonly recordingStatusCallbackMethod: HttpMethod;
  readonly recordingStatusCallbackEvents: readonly RecordingEvent[];
}

/** Reads a Dial whose attributes were validated: what is missing or was refused there takes its default here. */
export function readDial(verb: TwimlElement, resolveUrl: (url: string) => string): DialPlan {
  const { attributes } = verb;
  const record = recordOf(attributes['record'], attributes['recordingTrack']);
  return {
    callees: calleesOf(verb, resolveUrl).slice(0, MAX_CALLEES),
    timeoutSeconds: wholeNumber(attributes['timeout'], 1, MAX_TIMEOUT_SECONDS) ?? DEFAULT_TIMEOUT_SECONDS,
    timeLimitSeconds: wholeNumber(attributes['timeLimit'], 1, MAX_CALL_SECONDS) ?? MAX_CALL_SECONDS,
    hangupOnStar: attributes['hangupOnStar'] === 'true',
    answerOnBridge: attributes['answerOnBridge'] === 'true',
    sequential: attributes['sequential'] === 'true',
    ...optional('callerId', attributes['callerId']),
    ...optional('ringTone', attributes['ringTone']),
    ...(record === undefined ? {} : { record }),
    trim: attributes['trim'] !== 'do-not-trim',
    ...optional('recordingStatusCallback', urlOf(attributes['recordingStatusCallback'], resolveUrl)),
    recordingStatusCallbackMethod: methodOf(attributes['recordingStatusCallbackMethod']),
    recordingStatusCallbackEvents: recordingEvents(attributes['recordingStatusCallbackEvent']),
  };
}

function calleesOf(verb: TwimlElement, resolveUrl: (url: string) => string): CalleePlan[] {
  const nouns = verb.children.filter((child) => ['Number', 'Sip', 'Client'].includes(child.name));
  if (nouns.length === 0) return verb.text === '' ? [] : [plainCallee(verb.text)];
  return nouns.map((noun) => ({
    ...plainCallee(destinationOf(noun)),
    ...optional('whisperUrl', urlOf(noun.attributes['url'], resolveUrl)),
    whisperMethod: methodOf(noun.attributes['method']),
    ...optional('sendDigits', noun.attributes['sendDigits']),
    ...parametersOf(noun),
    ...optional('username', noun.attributes['username']),
    ...optional('password', noun.attributes['password']),
    ...optional('statusCallback', urlOf(noun.attributes['statusCallback'], resolveUrl)),
    statusCallbackMethod: methodOf(noun.attributes['statusCallbackMethod']),
    statusCallbackEvents: progressEvents(noun.attributes['statusCallbackEvent']),
  }));
}

function destinationOf(noun: TwimlElement): string {
  const child = noun.children.find((each) => each.name === (noun.name === 'Sip' ? 'Uri' : 'Identity'));
  const text = collapse(child?.text ?? noun.text);
  if (noun.name === 'Client') return `client:${text}`;
  return noun.name === 'Sip' && !/^sips?:/i.test(text) ? `sip:${text}` : text;
}

function parametersOf(noun: TwimlElement): Pick<CalleePlan, 'clientParameters'> {
  const children = noun.name === 'Client' ? noun.children.filter((child) => child.name === 'Parameter') : [];
  if (children.length === 0) return {};
  const given = children.map(({ attributes }) => [attributes['name'] ?? '', attributes['value'] ?? '']);
  return { clientParameters: Object.fromEntries(given.slice(0, MAX_CLIENT_PARAMETERS)) as Record<string, string> };
}

function plainCallee(to: string): CalleePlan {
  return { to, whisperMethod: 'POST', statusCallbackMethod: 'POST', statusCallbackEvents: ['completed'] };
}

function recordOf(value: string | undefined, track: string | undefined): DialPlan['record'] {
  if (value === undefined || value === 'false' || value === 'do-not-record') return undefined;
  const side = track === 'inbound' || track === 'outbound' ? track : 'both';
  return { channels: value.endsWith('-dual') ? 2 : 1, track: side };
}

function wholeNumber(value: string | undefined, low: number, high: number): number | undefined {
  if (value === undefined || !/^\d{1,9}$/.test(value.trim())) return undefined;
  const number = Number(value);
  return number < low ? undefined : Math.min(number, high);
}

function methodOf(value: string | undefined): HttpMethod {
  return value?.toUpperCase() === 'GET' ? 'GET' : 'POST';
}

function urlOf(value: string | undefined, resolveUrl: (url: string) => string): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : resolveUrl(value.trim());
}

function progressEvents(value: string | undefined): CallProgressEvent[] {
  const known: readonly CallProgressEvent[] = ['initiated', 'ringing', 'answered', 'completed'];
  const chosen = known.filter((event) => (value ?? '').split(/\s+/).includes(event));
  return chosen.length === 0 ? ['completed'] : chosen;
}

function recordingEvents(value: string | undefined): RecordingEvent[] {
  const known: readonly RecordingEvent[] = ['in-progress', 'completed', 'absent'];
  const chosen = known.filter((event) => (value ?? '').split(/\s+/).includes(event));
  return chosen.length === 0 ? ['completed'] : chosen;
}

function optional<Key extends string>(key: Key, value: string | undefined): Partial<Record<Key, string>> {
  return value === undefined || value === '' ? {} : ({ [key]: value } as Record<Key, string>);
}
