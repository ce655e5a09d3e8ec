import { quoted, type Parsed } from '../../base/parsed.ts';
import {
  bad,
  callMessageFields,
  callMessageOf,
  directFields,
  directStepOf,
  ok,
  readEnvelope,
  soundFields,
  soundOf,
  type CallMessage,
  type DirectStep,
  type SoundPath,
} from './client-message.ts';
import { fieldsOf, numberOf, textOf, type Fields } from './fields.ts';
import {
  HEARTBEAT,
  MAX_CALL_ID_CHARS,
  MAX_CONTENT_CHARS,
  MAX_NAME_CHARS,
  MAX_PARAMETERS_CHARS,
  MAX_RECONNECT_CHARS,
  PROTOCOL_VERSION,
} from './limits.ts';

export interface SignalError {
  readonly code: number;
  readonly message: string;
  /** Seconds to wait before the next try. */
  readonly retryAfter?: number;
}

/** What a server sends to a browser phone. */
export type ServerMessage =
  | { readonly type: 'heartbeat' }
  | {
      readonly type: 'connected';
      readonly identity: string;
      /** Left life of the token. */
      readonly ttlSeconds: number;
      /** Where this client is to come back: echoes how it came. */
      readonly edge: string;
      /** The vendor's client makes the host of its telemetry from this; one that makes no address keeps it silent. */
      readonly home: string;
    }
  | { readonly type: 'ready' | 'offline' | 'close' }
  | { readonly type: 'ringing'; readonly callsid: string; readonly sound: SoundPath | undefined }
  | {
      readonly type: 'answer';
      readonly callsid: string;
      /** Undefined when a call goes on over a new socket. */
      readonly sound: SoundPath | undefined;
      readonly reconnect: string | undefined;
    }
  | { readonly type: 'hangup'; readonly callsid: string; readonly error: SignalError | undefined }
  | { readonly type: 'cancel'; readonly callsid: string }
  | {
      readonly type: 'invite';
      readonly callsid: string;
      readonly sound: SoundPath;
      /** CallSid, From, To, AccountSid, Params (form-encoded). */
      readonly parameters: Readonly<Record<string, string>>;
      readonly reconnect: string;
    }
  | { readonly type: 'ack'; readonly callsid: string; readonly eventSid: string }
  | ({ readonly type: 'message' } & CallMessage)
  | { readonly type: 'error'; readonly error: SignalError; readonly callsid?: string; readonly eventSid?: string }
  /** Of our own client: two browsers look for a direct path. */
  | { readonly type: 'direct'; readonly callsid: string; readonly step: DirectStep };

const MAX_INVITE_PARAMETERS = 32;
const MAX_TTL_SECONDS = 10 * 365 * 86_400;

/** The text frame of a message. */
export function serializeServerMessage(message: ServerMessage): string {
  if (message.type === 'heartbeat') return HEARTBEAT;
  return JSON.stringify({ type: message.type, version: PROTOCOL_VERSION, payload: payloadOf(message) });
}

/** Reads one text frame of a server. */
export function parseServerMessage(text: string): Parsed<ServerMessage> {
  if (text === HEARTBEAT) return ok({ type: 'heartbeat' }, text);
  const read = readEnvelope(text);
  if (typeof read === 'string') return bad(read);
  const message = readPayload(read.type, read.payload);
  return typeof message === 'string' ? bad(message) : ok(message, text);
}

function payloadOf(message: Exclude<ServerMessage, { type: 'heartbeat' }>): Fields {
  switch (message.type) {
    case 'connected': {
      const { identity, ttlSeconds, edge, home } = message;
      return { region: 'US_EAST_VIRGINIA', edge, home, gateway: home, token: { identity, ttl: ttlSeconds } };
    }
    case 'ready':
    case 'offline':
    case 'close':
      return {};
    case 'ringing':
      return { callsid: message.callsid, ...(message.sound === undefined ? {} : soundFields(message.sound)) };
    case 'answer': {
      const { callsid, sound, reconnect } = message;
      return {
        callsid,
        ...(sound === undefined ? {} : soundFields(sound)),
        ...(reconnect === undefined ? {} : { reconnect }),
      };
    }
    case 'hangup':
      return { callsid: message.callsid, ...(message.error === undefined ? {} : { error: message.error }) };
    case 'cancel':
      return { callsid: message.callsid };
    case 'invite': {
      const { callsid, sound, parameters, reconnect } = message;
      return { callsid, ...soundFields(sound), parameters, reconnect };
    }
    case 'ack':
      return { acktype: 'message', callsid: message.callsid, voiceeventsid: message.eventSid };
    case 'message':
      return { callsid: message.callsid, ...callMessageFields(message) };
    case 'error': {
      const { error, callsid, eventSid } = message;
      return {
        error,
        ...(callsid === undefined ? {} : { callsid }),
        ...(eventSid === undefined ? {} : { voiceeventsid: eventSid }),
      };
    }
    case 'direct':
      return { callsid: message.callsid, ...directFields(message.step) };
    default:
      return message satisfies never;
  }
}

function readPayload(type: string, payload: Fields): ServerMessage | string {
  switch (type) {
    case 'ready':
    case 'offline':
    case 'close':
      return { type };
    case 'connected':
      return readConnected(payload);
    case 'error': {
      const error = errorOf(payload['error']);
      if (error === undefined) return 'error: want a code and a message';
      const callsid = textOf(payload, 'callsid', MAX_CALL_ID_CHARS);
      const eventSid = textOf(payload, 'voiceeventsid', MAX_CALL_ID_CHARS);
      return {
        type,
        error,
        ...(callsid === undefined ? {} : { callsid }),
        ...(eventSid === undefined ? {} : { eventSid }),
      };
    }
    default:
      return readOfCall(type, payload);
  }
}

function readConnected(payload: Fields): ServerMessage | string {
  const token = fieldsOf(payload['token']) ?? {};
  const identity = textOf(token, 'identity', MAX_NAME_CHARS);
  const ttlSeconds = numberOf(token, 'ttl', 0, MAX_TTL_SECONDS);
  if (identity === undefined || ttlSeconds === undefined) return 'connected: want the identity and ttl of the token';
  const edge = textOf(payload, 'edge', MAX_NAME_CHARS) ?? '';
  return { type: 'connected', identity, ttlSeconds, edge, home: textOf(payload, 'home', MAX_NAME_CHARS) ?? '' };
}

function readOfCall(type: string, payload: Fields): ServerMessage | string {
  const callsid = textOf(payload, 'callsid', MAX_CALL_ID_CHARS);
  if (callsid === undefined) return `${quoted(type)}: want a callsid`;
  switch (type) {
    case 'ringing':
      return { type, callsid, sound: soundOf(payload) };
    case 'answer':
      return { type, callsid, sound: soundOf(payload), reconnect: textOf(payload, 'reconnect', MAX_RECONNECT_CHARS) };
    case 'hangup':
      return { type, callsid, error: errorOf(payload['error']) };
    case 'cancel':
      return { type, callsid };
    case 'invite': {
      const sound = soundOf(payload);
      const parameters = parametersOf(payload['parameters']);
      const reconnect = textOf(payload, 'reconnect', MAX_RECONNECT_CHARS) ?? '';
      if (sound === undefined || parameters === undefined) return 'invite: want an sdp and parameters';
      return { type, callsid, sound, parameters, reconnect };
    }
    case 'ack':
      return { type, callsid, eventSid: textOf(payload, 'voiceeventsid', MAX_CALL_ID_CHARS) ?? '' };
    case 'message': {
      const message = callMessageOf(callsid, payload);
      return message === undefined
        ? `message: want content of at most ${MAX_CONTENT_CHARS} characters`
        : { type, ...message };
    }
    case 'direct': {
      const step = directStepOf(payload);
      return step === undefined ? 'direct: want a step' : { type, callsid, step };
    }
    default:
      return `${quoted(type)} is no message of a server`;
  }
}

function errorOf(value: unknown): SignalError | undefined {
  const fields = fieldsOf(value);
  const code = fields === undefined ? undefined : numberOf(fields, 'code', 0, 99_999);
  if (fields === undefined || code === undefined) return undefined;
  const retryAfter = numberOf(fields, 'retryAfter', 0, 3_600);
  const message = textOf(fields, 'message', MAX_CONTENT_CHARS) ?? '';
  return { code, message, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

function parametersOf(value: unknown): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(fieldsOf(value) ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= MAX_PARAMETERS_CHARS,
  );
  return entries.length > MAX_INVITE_PARAMETERS ? undefined : Object.fromEntries(entries);
}
