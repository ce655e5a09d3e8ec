import { quoted, type Parsed } from '../../base/parsed.ts';
import { fieldsOf, textOf, type Fields } from './fields.ts';
import {
  HEARTBEAT,
  MAX_CALL_ID_CHARS,
  MAX_CONTENT_CHARS,
  MAX_DIGITS,
  MAX_MESSAGE_CHARS,
  MAX_NAME_CHARS,
  MAX_PARAMETERS_CHARS,
  MAX_RECONNECT_CHARS,
  MAX_SDP_CHARS,
  MAX_TOKEN_CHARS,
  PROTOCOL_VERSION,
} from './limits.ts';

/** How a call carries its sound: WebRTC, or G.711 frames over the signalling socket where WebRTC carries nothing. */
export type SoundPath = { readonly kind: 'webrtc'; readonly sdp: string } | { readonly kind: 'frames' };

/** Text that belongs to a call, beside its sound. */
export interface CallMessage {
  readonly callsid: string;
  readonly content: string;
  readonly contentType: string;
  readonly messageType: string;
  readonly eventSid: string;
}

/** What a browser phone sends (protocol 1.6 of the vendor's browser SDK, and what our own client adds: frames, `direct`). */
export type ClientMessage =
  | { readonly type: 'heartbeat' }
  | { readonly type: 'listen'; readonly token: string; readonly userAgent: string }
  | {
      readonly type: 'register';
      /** False takes the registration back. */
      readonly audio: boolean;
      /** Its sound must come over the socket: no ICE candidate exists where it runs. */
      readonly frames: boolean;
    }
  | {
      readonly type: 'invite';
      readonly callsid: string;
      readonly sound: SoundPath;
      /** Form-encoded custom parameters. */
      readonly parameters: string;
      /** Says which call this continues; then no new one begins. */
      readonly reconnect: string | undefined;
      /** The client may send its sound straight to another browser. */
      readonly direct: boolean;
    }
  | { readonly type: 'answer'; readonly callsid: string; readonly sound: SoundPath; readonly direct: boolean }
  | { readonly type: 'reject'; readonly callsid: string }
  | { readonly type: 'hangup'; readonly callsid: string }
  /** Another path for the sound of a call: another ICE connection, or of our own client frames instead of one. */
  | { readonly type: 'reinvite'; readonly callsid: string; readonly sound: SoundPath }
  | { readonly type: 'dtmf'; readonly callsid: string; readonly digits: string }
  | ({ readonly type: 'message' } & CallMessage)
  /** Of our own client: what one browser tells the other to find a direct path. */
  | { readonly type: 'direct'; readonly callsid: string; readonly step: DirectStep };

/** A step of two browsers toward sound without a server between them. */
export type DirectStep =
  | { readonly kind: 'start' }
  | { readonly kind: 'offer' | 'answer'; readonly sdp: string }
  | { readonly kind: 'up' }
  | { readonly kind: 'down' };

/** Reads one text frame. A type that is not known is `bad`, as is any field outside its bounds. */
export function parseClientMessage(text: string): Parsed<ClientMessage> {
  if (text === HEARTBEAT) return ok({ type: 'heartbeat' }, text);
  const read = readEnvelope(text);
  if (typeof read === 'string') return bad(read);
  const { type, payload } = read;
  const message = readPayload(type, payload);
  return typeof message === 'string' ? bad(message) : ok(message, text);
}

/** The text frame of a message. */
export function serializeClientMessage(message: ClientMessage): string {
  if (message.type === 'heartbeat') return HEARTBEAT;
  return JSON.stringify({ type: message.type, version: PROTOCOL_VERSION, payload: payloadOf(message) });
}

export function ok<T>(value: T, text: string): Parsed<T> {
  return { kind: 'ok', value, used: text.length };
}

export function bad(reason: string): { readonly kind: 'bad'; readonly offset: number; readonly reason: string } {
  return { kind: 'bad', offset: 0, reason };
}

/** The type and payload of a frame, or what is wrong with it. */
export function readEnvelope(text: string): { readonly type: string; readonly payload: Fields } | string {
  if (text.length > MAX_MESSAGE_CHARS)
    return `a message of ${text.length} characters: want ${MAX_MESSAGE_CHARS} at most`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return `${quoted(text)} is not JSON`;
  }
  const fields = fieldsOf(json);
  const type = fields === undefined ? undefined : textOf(fields, 'type', MAX_NAME_CHARS);
  if (fields === undefined || type === undefined) return 'a message without type';
  return { type, payload: fieldsOf(fields['payload']) ?? {} };
}

function readPayload(type: string, payload: Fields): ClientMessage | string {
  if (type === 'listen') return readListen(payload);
  if (type === 'register') {
    const media = fieldsOf(payload['media']);
    return { type, audio: media?.['audio'] === true, frames: media?.['frames'] === true };
  }
  const callsid = textOf(payload, 'callsid', MAX_CALL_ID_CHARS);
  if (callsid === undefined || !/^[\w-]+$/.test(callsid)) return `${quoted(type)}: want a callsid`;
  switch (type) {
    case 'invite':
      return readInvite(callsid, payload);
    case 'answer': {
      const sound = soundOf(payload);
      return sound === undefined ? 'answer: want an sdp' : { type, callsid, sound, direct: payload['direct'] === true };
    }
    case 'reject':
    case 'hangup':
      return { type, callsid };
    case 'reinvite': {
      const sound = soundOf(payload);
      return sound === undefined ? 'reinvite: want an sdp' : { type, callsid, sound };
    }
    case 'dtmf': {
      const digits = textOf(payload, 'dtmf', MAX_DIGITS);
      if (digits === undefined || !/^[0-9*#wW]*$/.test(digits)) return 'dtmf: want keys, 0-9 * # w';
      return { type, callsid, digits };
    }
    case 'message': {
      const message = callMessageOf(callsid, payload);
      return message === undefined ? 'message: want content of at most 16384 characters' : { type, ...message };
    }
    case 'direct': {
      const step = directStepOf(payload);
      return step === undefined ? 'direct: want a step' : { type, callsid, step };
    }
    default:
      return `${quoted(type)} is no message of a browser phone`;
  }
}

function readListen(payload: Fields): ClientMessage | string {
  const token = textOf(payload, 'token', MAX_TOKEN_CHARS);
  if (token === undefined) return `listen: want a token of at most ${MAX_TOKEN_CHARS} characters`;
  const info = fieldsOf(payload['browserinfo']);
  const browser = info === undefined ? undefined : fieldsOf(info['browser']);
  return {
    type: 'listen',
    token,
    userAgent:
      (browser === undefined ? undefined : textOf(browser, 'userAgent', MAX_CONTENT_CHARS))?.slice(0, MAX_NAME_CHARS) ??
      '',
  };
}

function readInvite(callsid: string, payload: Fields): ClientMessage | string {
  const sound = soundOf(payload);
  if (sound === undefined) return 'invite: want an sdp';
  const params = fieldsOf(payload['twilio'])?.['params'];
  // The SDK sends an empty object for a call without parameters.
  const parameters = typeof params === 'string' ? params : '';
  if (parameters.length > MAX_PARAMETERS_CHARS)
    return `invite: parameters of ${parameters.length} characters: want ${MAX_PARAMETERS_CHARS} at most`;
  const reconnect = textOf(payload, 'reconnect', MAX_RECONNECT_CHARS);
  return { type: 'invite', callsid, sound, parameters, reconnect, direct: payload['direct'] === true };
}

/** `sdp`, or `audio: "frames"` of our own client. */
export function soundOf(payload: Fields): SoundPath | undefined {
  if (payload['audio'] === 'frames') return { kind: 'frames' };
  const sdp = textOf(payload, 'sdp', MAX_SDP_CHARS);
  return sdp === undefined ? undefined : { kind: 'webrtc', sdp };
}

export function soundFields(sound: SoundPath): Fields {
  return sound.kind === 'frames' ? { audio: 'frames' } : { sdp: sound.sdp };
}

export function callMessageOf(callsid: string, payload: Fields): CallMessage | undefined {
  const content = payload['content'];
  // The SDK hands on whatever the page gave it: text or an object.
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? null);
  if (text.length > MAX_CONTENT_CHARS) return undefined;
  return {
    callsid,
    content: text,
    contentType: textOf(payload, 'contenttype', MAX_NAME_CHARS) ?? 'application/json',
    messageType: textOf(payload, 'messagetype', MAX_NAME_CHARS) ?? 'user-defined-message',
    eventSid: textOf(payload, 'voiceeventsid', MAX_CALL_ID_CHARS) ?? '',
  };
}

export function callMessageFields({ content, contentType, messageType, eventSid }: CallMessage): Fields {
  return { content, contenttype: contentType, messagetype: messageType, voiceeventsid: eventSid };
}

export function directStepOf(payload: Fields): DirectStep | undefined {
  const kind = payload['step'];
  if (kind === 'start' || kind === 'up' || kind === 'down') return { kind };
  const sdp = textOf(payload, 'sdp', MAX_SDP_CHARS);
  return (kind === 'offer' || kind === 'answer') && sdp !== undefined ? { kind, sdp } : undefined;
}

export function directFields(step: DirectStep): Fields {
  return 'sdp' in step ? { step: step.kind, sdp: step.sdp } : { step: step.kind };
}

function payloadOf(message: Exclude<ClientMessage, { type: 'heartbeat' }>): Fields {
  switch (message.type) {
    case 'listen': {
      const { token, userAgent } = message;
      return { token, browserinfo: { p: 'browser', plugin: 'rtc', browser: { userAgent } } };
    }
    case 'register':
      return { media: { audio: message.audio, ...(message.frames ? { frames: true } : {}) } };
    case 'invite': {
      const { callsid, sound, parameters, reconnect, direct } = message;
      return {
        ...{ callsid, ...soundFields(sound), twilio: parameters === '' ? {} : { params: parameters } },
        ...(reconnect === undefined ? {} : { reconnect }),
        ...(direct ? { direct } : {}),
      };
    }
    case 'answer':
      return { callsid: message.callsid, ...soundFields(message.sound), ...(message.direct ? { direct: true } : {}) };
    case 'reject':
    case 'hangup':
      return { callsid: message.callsid };
    case 'reinvite':
      return { callsid: message.callsid, ...soundFields(message.sound) };
    case 'dtmf':
      return { callsid: message.callsid, dtmf: message.digits };
    case 'message':
      return { callsid: message.callsid, ...callMessageFields(message) };
    case 'direct':
      return { callsid: message.callsid, ...directFields(message.step) };
    default:
      return message satisfies never;
  }
}
