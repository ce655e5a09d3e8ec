import type { TwimlProblem } from '../wire/twiml/document.ts';

/** The request or answer that a fault is about, for the Notification; texts are cut to what the store keeps. */
export interface FaultContext {
  readonly requestUrl?: string;
  readonly requestMethod?: string;
  /** Form-encoded. */
  readonly requestVariables?: string;
  readonly responseBody?: string;
  /** `name=value` pairs, form-encoded. */
  readonly responseHeaders?: string;
}

/** What went wrong, under its official number. Told once, to the owner of the application, as a Notification. */
export interface Fault extends FaultContext {
  readonly code: FaultCode;
  readonly level: 'error' | 'warning';
  /** What was got and what is wanted. */
  readonly message: string;
  /** Path of the page about this code. */
  readonly moreInfo: string;
}

interface FaultRow {
  readonly level: 'error' | 'warning';
  readonly title: string;
}

const error = (title: string): FaultRow => ({ level: 'error', title });
const warning = (title: string): FaultRow => ({ level: 'warning', title });

/** The codes of calls, TwiML and HTTP. Numbers are the official ones, the words are ours. */
const FAULTS = {
  10001: error('The account is not active'),
  10003: error('An incoming call was refused because the account is not active'),
  10004: error('Too many calls at once'),

  11100: error('The URL cannot be requested: an absolute http or https URL is wanted'),
  11200: error('The application did not give a usable HTTP answer'),
  11205: error('No connection to the application'),
  11206: error('The application broke the HTTP protocol'),
  11210: error('The host name of the URL does not resolve'),
  11215: error('Too many redirects'),
  11220: error('The TLS handshake with the application failed'),
  11235: error('The certificate of the application is for another name'),
  11236: error('The certificate of the application has expired'),
  11237: error('The certificate of the application is not signed by a trusted authority'),
  11750: error('The answer of the application is too large'),
  11751: error('The media file is too large'),
  11770: error('The answer of the application is empty'),

  12100: error('The document cannot be parsed: well-formed XML is wanted'),
  12101: error('The XML version of the document is not 1.0'),
  12102: error('The root element of the document is not Response'),
  12200: warning('The document does not follow the TwiML schema'),
  12300: error('The content type of the answer cannot be used'),
  12400: error('The run of the document failed inside the server'),

  13201: error('Dial: a call that was itself dialled cannot dial'),
  13210: warning('Dial: the value of method is not valid'),
  13212: warning('Dial: the value of timeout is not valid'),
  13213: warning('Dial: the value of hangupOnStar is not valid'),
  13214: warning('Dial: the value of callerId is not valid'),
  13215: warning('Dial: an element inside it is not allowed'),
  13216: warning('Dial: the value of timeLimit is not valid'),
  13217: warning('Dial: the value of record is not valid'),
  13218: warning('Dial: the value of sequential is not valid'),
  13219: warning('Dial: the value of answerOnBridge is not valid'),
  13220: warning('Dial: the value of ringTone is not valid'),
  13221: warning('Dial Number: the value of method is not valid'),
  13222: warning('Dial Number: the value of sendDigits is not valid'),
  13223: warning('Dial: the phone number has a wrong format'),
  13224: warning('Dial: the destination is not valid or has no route'),
  13225: warning('Dial: the destination is blocked'),
  13226: warning('Dial: the country code of the number is not valid'),
  13227: warning('Dial: the operator does not allow this destination'),
  13239: warning('Dial: the value of trim is not valid'),
  13241: warning('Dial Sip: the SIP address is not valid'),
  13242: warning('Dial Sip: the user name is not valid'),
  13243: warning('Dial Sip: the password is not valid'),
  13244: warning('Dial Sip: the value of method is not valid'),
  13248: warning('Dial Sip: the headers are not valid'),

  13310: warning('Gather: the value of finishOnKey is not valid'),
  13312: warning('Gather: the value of method is not valid'),
  13313: warning('Gather: the value of timeout is not valid'),
  13314: warning('Gather: the value of numDigits is not valid'),
  13320: warning('Gather: an element inside it is not allowed'),
  13325: warning('Gather: the sound to play has a wrong content type'),
  13326: warning('Gather: the value of input is not valid'),
  13327: warning('Gather: the value of speechTimeout is not valid'),
  13328: warning('Gather: the value of maxSpeechTime is not valid'),
  13330: warning('Gather: the value of hints is not valid'),
  13331: warning('Gather: the value of language is not valid'),
  13332: warning('Gather: the value of bargeIn is not valid'),
  13338: warning('Gather: the value of actionOnEmptyResult is not valid'),

  13410: warning('Play: the value of loop is not valid'),
  13420: warning('Play: the sound has a wrong content type'),
  13430: warning('Play: the value of digits is not valid'),

  13510: warning('Say: the value of loop is not valid'),
  13511: warning('Say: the voice or language is not valid'),
  13520: warning('Say: the text cannot be spoken'),
  13521: warning('Say: the text is too long'),

  13610: warning('Record: the value of method is not valid'),
  13611: warning('Record: the value of timeout is not valid'),
  13612: warning('Record: the value of maxLength is not valid'),
  13613: warning('Record: the value of finishOnKey is not valid'),
  13614: warning('Record: the value of transcribe is not valid'),
  13615: warning('Record: transcriptions are not made'),
  13616: warning('Record: the value of playBeep is not valid'),
  13617: warning('Record: the value of trim is not valid'),
  13621: warning('Record: the value of recordingStatusCallbackEvent is not valid'),

  13710: warning('Redirect: the value of method is not valid'),
  13801: warning('Refer: it cannot be run here'),
  13810: warning('Reject: the value of reason is not valid'),
  13910: warning('Pause: the value of length is not valid'),

  14110: warning('The verb cannot be used here'),
  14300: warning('Start: the element inside it cannot be run here'),

  15002: error('A status callback has too many redirects'),
  15003: warning('A status callback was not accepted by the application'),

  21201: error('No To was given'),
  21205: error('The URL is not valid'),
  21210: error('The From number is not one of this account'),
  21211: error('The To address is not valid'),
  21212: error('The From address is not valid'),
  21213: error('No From was given'),
  21214: error('The To address cannot be reached'),
  21215: error('The operator does not allow this destination'),
  21216: error('The destination is blocked'),
  21217: error('The phone number has a wrong format'),
  21218: error('The ApplicationSid is not valid'),
  21220: error('The call is not in a state for this'),

  32001: error('SIP: too many calls per second'),
  32009: error('SIP: the user is not registered'),
  32014: error('SIP: the call was answered, but no audio arrived'),
  32015: error('SIP: the call reached its longest duration'),
  32016: error('SIP: nothing was heard from the destination in time'),
} as const satisfies Readonly<Record<number, FaultRow>>;

export type FaultCode = keyof typeof FAULTS;

const MAX_MESSAGE_CHARS = 1000;
const MAX_BODY_CHARS = 16_384;
const MAX_HEADER_CHARS = 4096;

export function isFaultCode(code: number): code is FaultCode {
  return Object.hasOwn(FAULTS, code);
}

/** A fault of the table. `details` says what was got and what is wanted; it follows the title of the code. */
export function fault(code: FaultCode, details = '', context: FaultContext = {}): Fault {
  const row: FaultRow = FAULTS[code];
  const message = details === '' ? row.title : `${row.title}: ${details}`;
  return {
    code,
    level: row.level,
    message: cut(message, MAX_MESSAGE_CHARS),
    moreInfo: `/docs/errors/${code}`,
    ...cutContext(context),
  };
}

/** The fault for something wrong in a document; a problem that ends the run is an error whatever the table says. */
export function faultOfProblem(problem: TwimlProblem, context: FaultContext = {}): Fault {
  const code = isFaultCode(problem.code) ? problem.code : 12200;
  return { ...fault(code, atLine(problem), context), level: problem.level };
}

function atLine(problem: TwimlProblem): string {
  return problem.line === 0 || /^line \d/.test(problem.message)
    ? problem.message
    : `line ${problem.line}: ${problem.message}`;
}

function cutContext(context: FaultContext): FaultContext {
  const { responseBody, responseHeaders, requestVariables } = context;
  return {
    ...context,
    ...(responseBody === undefined ? {} : { responseBody: cut(responseBody, MAX_BODY_CHARS) }),
    ...(responseHeaders === undefined ? {} : { responseHeaders: cut(responseHeaders, MAX_HEADER_CHARS) }),
    ...(requestVariables === undefined ? {} : { requestVariables: cut(requestVariables, MAX_HEADER_CHARS) }),
  };
}

function cut(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
}
