import { quoted } from '../../base/parsed.ts';
import { parseSid } from '../../base/sid.ts';
import { parseAddress, type Address } from '../../comms/address.ts';
import type { CallChange, CallRedirect, CallRequest } from '../../comms/call-commands.ts';
import type { CallPlan, CallProgressEvent, HttpMethod, RecordingEvent } from '../../comms/model.ts';
import { badParameter } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';

const MAX_TWIML_CHARS = 4000;
const MAX_SIP_USERNAME_CHARS = 128;
const MAX_SEND_DIGITS = 32;
const MAX_TIMEOUT_SECONDS = 600;
const DEFAULT_TIMEOUT_SECONDS = 60;
const MAX_TIME_LIMIT_SECONDS = 86_400;

const BAD_URL = 21205;
const BAD_METHOD = 21209;
const BAD_CALLBACK = 21609;
const CALL_EVENTS = ['initiated', 'ringing', 'answered', 'completed'] as const satisfies readonly CallProgressEvent[];
const RECORDING_EVENTS = ['in-progress', 'completed', 'absent'] as const satisfies readonly RecordingEvent[];

/** Fields that are known but have no effect; the others of the API are read below. */
export const IGNORED_CALL_FIELDS: readonly string[] = [
  'AsyncAmd',
  'AsyncAmdStatusCallback',
  'AsyncAmdStatusCallbackMethod',
  'Byoc',
  'CallReason',
  'CallToken',
  'ClientNotificationUrl',
  'MachineDetection',
  'MachineDetectionSilenceTimeout',
  'MachineDetectionSpeechEndThreshold',
  'MachineDetectionSpeechThreshold',
  'MachineDetectionTimeout',
  'RecordingTrack',
];

/** Form of `calls.create`. Throws ApiError 400 with the code of the first field that is wrong. */
export function readCallRequest(form: Parameters): CallRequest {
  const to = readAddress(form, 'To', { missing: 21201, bad: 21211 });
  const from = readAddress(form, 'From', { missing: 21213, bad: 21212 });
  form.oneOf('MachineDetection', ['Enable', 'DetectMessageEnd', 'none'] as const, 21234);
  const plan: CallPlan = {
    ...readInstructions(form),
    ...readCallbacks(form),
    ...readDialling(form, to),
    ...readRecording(form),
  };
  return { to, from, plan };
}

/** Form of `calls(sid).update`. */
export function readCallChange(form: Parameters): CallChange {
  const status = form.oneOf('Status', ['canceled', 'completed'] as const);
  const redirect = readRedirect(form);
  const statusCallback = form.url('StatusCallback', BAD_CALLBACK);
  const statusCallbackMethod = form.method('StatusCallbackMethod', BAD_METHOD);
  const timeLimitSeconds = readTimeLimit(form);
  const change: CallChange = {
    ...optional('status', status),
    ...optional('redirect', redirect),
    ...optional('statusCallback', statusCallback ?? undefined),
    ...optional('statusCallbackMethod', statusCallbackMethod),
    ...optional('timeLimitSeconds', timeLimitSeconds),
  };
  if (Object.keys(change).length === 0) {
    throw badParameter(20001, 'Nothing to change: want Status, Url, Twiml, StatusCallback or TimeLimit');
  }
  return change;
}

export function readRecordingEvents(form: Parameters): readonly RecordingEvent[] | undefined {
  return readEvents(form, 'RecordingStatusCallbackEvent', RECORDING_EVENTS);
}

export function readTrim(form: Parameters): boolean | undefined {
  const trim = form.oneOf('Trim', ['trim-silence', 'do-not-trim'] as const);
  return trim === undefined ? undefined : trim === 'trim-silence';
}

function readAddress(
  form: Parameters,
  name: string,
  codes: { readonly missing: number; readonly bad: number },
): Address {
  const text = form.filled(name, { code: codes.bad });
  if (text === undefined) throw badParameter(codes.missing, `${name} is missing: it must be given`);
  const address = parseAddress(text);
  if (address === undefined) {
    const wanted = 'want E.164 as +15551234567, sip:user@host or client:name';
    throw badParameter(codes.bad, `${name} ${quoted(text)}: ${wanted}`);
  }
  return address;
}

/** Url wins over Twiml, and both over ApplicationSid. */
function readInstructions(form: Parameters): CallPlan {
  const url = form.url('Url', BAD_URL);
  const method = form.method('Method', BAD_METHOD);
  const fallbackUrl = form.url('FallbackUrl', BAD_URL);
  const fallbackMethod = form.method('FallbackMethod', BAD_METHOD);
  const twiml = form.filled('Twiml', { maxChars: MAX_TWIML_CHARS });
  const applicationSid = form.filled('ApplicationSid', { code: 21218 });
  const application = applicationSid === undefined ? undefined : parseSid('AP', applicationSid);
  if (applicationSid !== undefined && application === undefined) {
    throw badParameter(21218, `ApplicationSid ${quoted(applicationSid)}: want AP and 32 hexadecimal digits`);
  }
  const fallback = {
    ...optional('fallbackUrl', fallbackUrl ?? undefined),
    ...optional('fallbackMethod', fallbackMethod),
  };
  if (url !== null && url !== undefined) return { url, method: method ?? 'POST', ...fallback };
  if (twiml !== undefined) return { twiml, ...fallback };
  if (application !== undefined) return { applicationSid: application };
  throw badParameter(BAD_URL, 'Url is missing: want Url, Twiml or ApplicationSid');
}

function readRedirect(form: Parameters): CallRedirect | undefined {
  const url = form.url('Url', BAD_URL);
  const method = form.method('Method', BAD_METHOD) ?? 'POST';
  const fallbackUrl = form.url('FallbackUrl', BAD_URL) ?? undefined;
  const fallbackMethod = form.method('FallbackMethod', BAD_METHOD);
  const twiml = form.filled('Twiml', { maxChars: MAX_TWIML_CHARS });
  if (url !== null && url !== undefined) {
    return { url, method, ...optional('fallbackUrl', fallbackUrl), ...optional('fallbackMethod', fallbackMethod) };
  }
  return twiml === undefined ? undefined : { twiml };
}

function readCallbacks(form: Parameters): CallPlan {
  const statusCallback = form.url('StatusCallback', BAD_CALLBACK) ?? undefined;
  const statusCallbackMethod = form.method('StatusCallbackMethod', BAD_METHOD);
  const statusCallbackEvents = readEvents(form, 'StatusCallbackEvent', CALL_EVENTS);
  if (statusCallback === undefined) return {};
  return {
    statusCallback,
    statusCallbackMethod: statusCallbackMethod ?? 'POST',
    ...optional('statusCallbackEvents', statusCallbackEvents),
  };
}

function readDialling(form: Parameters, to: Address): CallPlan {
  const sendDigits = form.filled('SendDigits', { maxChars: MAX_SEND_DIGITS, code: 21206 });
  if (sendDigits !== undefined && !/^[0-9A-Da-d#*wW]+$/.test(sendDigits)) {
    throw badParameter(21206, `SendDigits ${quoted(sendDigits)}: want 0-9, A-D, #, *, w (half a second), W (a second)`);
  }
  const timeoutSeconds = form.integer('Timeout', { low: 1, high: MAX_TIMEOUT_SECONDS, code: 21208 });
  const callerId = form.filled('CallerId', { code: 21212 });
  if (callerId !== undefined && parseAddress(callerId) === undefined) {
    throw badParameter(21212, `CallerId ${quoted(callerId)}: want E.164, sip: or client:`);
  }
  const sipAuthUsername = form.filled('SipAuthUsername', { maxChars: MAX_SIP_USERNAME_CHARS });
  const sipAuthPassword = form.filled('SipAuthPassword');
  // It stands in a header of the INVITE.
  if (sipAuthUsername !== undefined && !/^[\x20-\x7e]+$/.test(sipAuthUsername)) {
    throw badParameter(20001, `SipAuthUsername ${quoted(sipAuthUsername)}: want printable ASCII`);
  }
  return {
    timeoutSeconds: timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    ...optional('sendDigits', sendDigits),
    ...optional('timeLimitSeconds', readTimeLimit(form)),
    ...optional('callerId', callerId),
    ...(to.kind === 'sip' ? { ...optional('sipAuthUsername', sipAuthUsername) } : {}),
    ...(to.kind === 'sip' ? { ...optional('sipAuthPassword', sipAuthPassword) } : {}),
  };
}

function readRecording(form: Parameters): CallPlan {
  const recordingChannels = form.oneOf('RecordingChannels', ['mono', 'dual'] as const);
  const recordingStatusCallback = form.url('RecordingStatusCallback', BAD_CALLBACK) ?? undefined;
  const recordingStatusCallbackMethod: HttpMethod = form.method('RecordingStatusCallbackMethod', BAD_METHOD) ?? 'POST';
  const recordingStatusCallbackEvents = readRecordingEvents(form);
  const trim = readTrim(form);
  if (form.flag('Record') !== true) return {};
  return {
    record: true,
    recordingChannels: recordingChannels ?? 'mono',
    trim: trim ?? true,
    ...(recordingStatusCallback === undefined ? {} : { recordingStatusCallback, recordingStatusCallbackMethod }),
    ...optional('recordingStatusCallbackEvents', recordingStatusCallbackEvents),
  };
}

function readTimeLimit(form: Parameters): number | undefined {
  return form.integer('TimeLimit', { low: 1, high: MAX_TIME_LIMIT_SECONDS });
}

function readEvents<const V extends string>(form: Parameters, name: string, known: readonly V[]): V[] | undefined {
  const words = form.words(name);
  if (words === undefined || words.length === 0) return undefined;
  return words.map((word) => {
    const event = known.find((each) => each === word);
    if (event === undefined) throw badParameter(20001, `${name} ${quoted(word)}: want ${known.join(', ')}`);
    return event;
  });
}

/** Leaves the key out where there is no value, as exactOptionalPropertyTypes wants it. */
function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
