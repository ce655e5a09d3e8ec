import type { AttributeRule, AttributeRules } from './attributes.ts';

// Attribute rules of every verb and noun that runs here, with the official number of a bad value. Attributes that
// belong to parts which are not here (speech, machine detection) are accepted and have no effect.

const SCHEMA = 12200;
const MAX_NAME_CHARS = 1600;
/** Four hours, the longest call that Dial allows. */
const MAX_SECONDS = 14_400;
export const MAX_LOOPS = 1000;

const url = (code = SCHEMA): AttributeRule => ({ code, value: { kind: 'url' } });
const method = (code = SCHEMA): AttributeRule => ({ code, value: { kind: 'method' } });
const flag = (code = SCHEMA): AttributeRule => ({ code, value: { kind: 'boolean' } });
const integer = (code: number, min: number, max: number): AttributeRule => ({
  code,
  value: { kind: 'integer', min, max },
});
const text = (code = SCHEMA): AttributeRule => ({ code, value: { kind: 'text', maxChars: MAX_NAME_CHARS } });
const words = (code: number, ...values: readonly string[]): AttributeRule => ({
  code,
  value: { kind: 'words', values },
});
const pattern = (code: number, expression: RegExp, wanted: string): AttributeRule => ({
  code,
  value: { kind: 'pattern', pattern: expression, wanted },
});
const choice = (
  code: number,
  values: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): AttributeRule => ({ code, value: { kind: 'choice', values, aliases } });

const keys = (code: number): AttributeRule => pattern(code, /^[0-9*#]{0,12}$/, 'keys of 0-9*#, or nothing');
const loop = (code: number): AttributeRule => integer(code, 0, MAX_LOOPS);
const trim = (code: number): AttributeRule =>
  choice(code, ['trim-silence', 'do-not-trim'], { true: 'trim-silence', false: 'do-not-trim' });

const SEND_DIGITS = /^[0-9A-Da-d*#wW]{1,512}$/;
const sendDigits = (code: number): AttributeRule => pattern(code, SEND_DIGITS, 'signs of 0-9A-D*#wW');

const recordingCallback = (eventCode: number): AttributeRules => ({
  recordingStatusCallback: url(),
  recordingStatusCallbackMethod: method(),
  recordingStatusCallbackEvent: words(eventCode, 'in-progress', 'completed', 'absent'),
  recordingConfigurationId: text(),
});

export const SAY: AttributeRules = {
  voice: pattern(13511, /^[A-Za-z0-9._:-]{0,100}$/, 'the name of a voice'),
  language: pattern(13511, /^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}$/, 'a language tag such as en-US'),
  loop: loop(13510),
};

export const PLAY: AttributeRules = { loop: loop(13410), digits: sendDigits(13430) };

export const PAUSE: AttributeRules = { length: integer(13910, 0, MAX_SECONDS) };

export const GATHER: AttributeRules = {
  input: words(13326, 'dtmf', 'speech'),
  action: url(),
  method: method(13312),
  timeout: integer(13313, 0, MAX_SECONDS),
  finishOnKey: keys(13310),
  numDigits: integer(13314, 1, 1000),
  actionOnEmptyResult: flag(13338),
  bargeIn: flag(13332),
  speechTimeout: text(13327),
  maxSpeechTime: text(13328),
  speechModel: text(),
  enhanced: text(),
  language: text(13331),
  hints: { code: 13330, value: { kind: 'text', maxChars: 60_000 } },
  profanityFilter: text(),
  partialResultCallback: url(),
  partialResultCallbackMethod: method(),
  debug: text(),
};

export const RECORD: AttributeRules = {
  action: url(),
  method: method(13610),
  timeout: integer(13611, 1, MAX_SECONDS),
  finishOnKey: keys(13613),
  maxLength: integer(13612, 1, MAX_SECONDS),
  playBeep: flag(13616),
  trim: trim(13617),
  transcribe: flag(13614),
  transcribeCallback: url(),
  ...recordingCallback(13621),
};

export const REDIRECT: AttributeRules = { method: method(13710) };
export const HANGUP: AttributeRules = {};
export const REJECT: AttributeRules = { reason: choice(13810, ['rejected', 'busy']) };

const DIAL_RECORD = [
  'do-not-record',
  'record-from-answer',
  'record-from-ringing',
  'record-from-answer-dual',
  'record-from-ringing-dual',
];

export const DIAL: AttributeRules = {
  action: url(),
  method: method(13210),
  timeout: integer(13212, 1, 600),
  hangupOnStar: flag(13213),
  timeLimit: integer(13216, 1, MAX_SECONDS),
  callerId: text(13214),
  record: choice(13217, DIAL_RECORD, { true: 'record-from-answer', false: 'do-not-record' }),
  trim: trim(13239),
  ...recordingCallback(SCHEMA),
  recordingTrack: choice(SCHEMA, ['both', 'inbound', 'outbound']),
  answerOnBridge: flag(13219),
  ringTone: pattern(13220, /^[A-Za-z-]{2,10}$/, 'a country code'),
  sequential: flag(13218),
  referUrl: url(),
  referMethod: method(),
  events: text(),
  passports: text(),
  callReason: text(),
};

const nounEvents: AttributeRules = {
  statusCallbackEvent: words(SCHEMA, 'initiated', 'ringing', 'answered', 'completed'),
  statusCallback: url(),
  statusCallbackMethod: method(),
};

const machineDetection: AttributeRules = {
  machineDetection: text(),
  machineDetectionTimeout: text(),
  machineDetectionSpeechThreshold: text(),
  machineDetectionSpeechEndThreshold: text(),
  machineDetectionSilenceTimeout: text(),
  amdStatusCallback: url(),
  amdStatusCallbackMethod: method(),
};

/** Nouns of Dial that can be dialled here. */
export const DIAL_NOUNS: Readonly<Record<string, AttributeRules>> = {
  Number: {
    sendDigits: sendDigits(13222),
    url: url(),
    method: method(13221),
    byoc: text(),
    ...nounEvents,
    ...machineDetection,
  },
  Client: { url: url(), method: method(), ...nounEvents },
  Sip: {
    username: text(13242),
    password: text(13243),
    url: url(),
    method: method(13244),
    ...nounEvents,
    ...machineDetection,
  },
};

/** Official verbs and nouns that are understood but not run, with the number of the warning. */
export const NOT_RUN_VERBS: Readonly<Record<string, number>> = {
  Sms: SCHEMA,
  Enqueue: SCHEMA,
  Queue: SCHEMA,
  Leave: SCHEMA,
  Refer: 13801,
  Connect: SCHEMA,
  Start: 14300,
  Stop: SCHEMA,
  Pay: SCHEMA,
  Prompt: SCHEMA,
  Echo: SCHEMA,
};
export const NOT_RUN_NOUNS: readonly string[] = ['Conference', 'Queue', 'Sim', 'Application', 'WhatsApp'];
