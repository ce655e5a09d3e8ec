import { quoted } from '../../base/parsed.ts';
import { readAttributes, type AttributeRules } from './attributes.ts';
import type { TwimlDocument, TwimlElement, TwimlProblem } from './document.ts';
import { sayParts, type SayPart } from './say-text.ts';
import {
  DIAL,
  DIAL_NOUNS,
  GATHER,
  HANGUP,
  NOT_RUN_NOUNS,
  NOT_RUN_VERBS,
  PAUSE,
  PLAY,
  RECORD,
  REDIRECT,
  REJECT,
  SAY,
} from './verb-table.ts';

/** Characters of one Say, as the vendor counts them. */
export const MAX_SAY_CHARS = 4096;
/** Nouns of one Dial. */
export const MAX_DIAL_NOUNS = 10;
/** Of a verb that is left out; not so when nothing follows it. */
const NEXT_IS_RUN = '; the next verb is run';

export type Method = 'GET' | 'POST';

export interface SayVerb {
  readonly kind: 'say';
  readonly parts: readonly SayPart[];
  readonly voice: string | undefined;
  readonly language: string | undefined;
  /** 0: until the call ends. */
  readonly loop: number;
}
export interface PlayVerb {
  readonly kind: 'play';
  /** As written; undefined when there are only digits to play. */
  readonly url: string | undefined;
  readonly digits: string | undefined;
  /** 0: until the call ends. */
  readonly loop: number;
}
export interface PauseVerb {
  readonly kind: 'pause';
  readonly lengthSeconds: number;
}
export type PromptVerb = SayVerb | PlayVerb | PauseVerb;

export interface GatherVerb {
  readonly kind: 'gather';
  readonly prompts: readonly PromptVerb[];
  readonly action: string | undefined;
  readonly method: Method;
  readonly timeoutSeconds: number;
  /** Keys that end the input; empty: none does. */
  readonly finishOnKey: string;
  readonly numDigits: number | undefined;
  readonly actionOnEmptyResult: boolean;
  readonly bargeIn: boolean;
  /** False when only speech was asked for. */
  readonly takesDigits: boolean;
}

export interface RecordVerb {
  readonly kind: 'record';
  readonly action: string | undefined;
  readonly method: Method;
  readonly timeoutSeconds: number;
  readonly finishOnKey: string;
  readonly maxLengthSeconds: number;
  readonly playBeep: boolean;
  readonly trim: boolean;
  readonly statusCallback: string | undefined;
  readonly statusCallbackMethod: Method;
  readonly statusCallbackEvents: readonly ('in-progress' | 'completed' | 'absent')[];
}

export interface DialVerb {
  readonly kind: 'dial';
  /** The element with valid attributes only, in normal form, and only nouns that can be dialled. */
  readonly element: TwimlElement;
  readonly action: string | undefined;
  readonly method: Method;
  readonly answerOnBridge: boolean;
}

export type Verb =
  | PromptVerb
  | GatherVerb
  | RecordVerb
  | DialVerb
  | { readonly kind: 'redirect'; readonly url: string; readonly method: Method }
  | { readonly kind: 'hangup' }
  | { readonly kind: 'reject'; readonly reason: 'rejected' | 'busy' };

export interface ValidTwiml {
  readonly verbs: readonly Verb[];
  readonly warnings: readonly TwimlProblem[];
  /** When there is one, nothing of the document is to be run: its author could not have meant what would be heard. */
  readonly error: TwimlProblem | undefined;
}

/**
 * The verbs to run, with every default filled in. Unknown elements and bad values are warnings and the flow goes on
 * without them. Errors are a Say inside a Say (12200), a Say that is too long (13521), and a document of which nothing is
 * left to run (the code of its first problem): the call would be silent.
 */
export function validateTwiml(document: TwimlDocument): ValidTwiml {
  const problems: TwimlProblem[] = [];
  const verbs: Verb[] = [];
  for (const piece of document.root.content) {
    if (typeof piece === 'string') warnAboutText(piece, document.root, problems);
    else pushDefined(verbs, readVerb(piece, problems));
  }
  const nothingLeft = verbs.length === 0 ? problems[0] : undefined;
  readAttributes(document.root, {}, problems);
  const error = problems.find((problem) => problem.level === 'error') ?? asError(nothingLeft);
  return { verbs, warnings: problems.filter(({ level }) => level === 'warning'), error };
}

function asError(problem: TwimlProblem | undefined): TwimlProblem | undefined {
  if (problem === undefined) return undefined;
  const what = problem.message.replace(NEXT_IS_RUN, '');
  return { ...problem, level: 'error', message: `${what}; nothing of the document is left to run` };
}

function pushDefined<T>(list: T[], value: T | undefined): void {
  if (value !== undefined) list.push(value);
}

function warnAboutText(piece: string, inside: TwimlElement, problems: TwimlProblem[]): void {
  if (piece.trim() === '') return;
  warn(problems, 12200, inside.line, `text ${quoted(piece.trim())} directly inside ${inside.name} is left out`);
}

function warn(problems: TwimlProblem[], code: number, line: number, message: string): void {
  problems.push({ code, level: 'warning', message, line });
}

function readVerb(element: TwimlElement, problems: TwimlProblem[]): Verb | undefined {
  switch (element.name) {
    case 'Say':
    case 'Play':
    case 'Pause':
      return readPrompt(element, problems);
    case 'Gather':
      return readGather(element, problems);
    case 'Record':
      return readRecord(element, problems);
    case 'Dial':
      return readDial(element, problems);
    case 'Redirect':
      return readRedirect(element, problems);
    case 'Hangup':
      readAttributes(element, HANGUP, problems);
      return { kind: 'hangup' };
    case 'Reject': {
      const { reason } = readAttributes(element, REJECT, problems);
      return { kind: 'reject', reason: reason === 'busy' ? 'busy' : 'rejected' };
    }
    default:
      warnAboutVerb(element, problems);
      return undefined;
  }
}

function warnAboutVerb(element: TwimlElement, problems: TwimlProblem[]): void {
  const code = Object.hasOwn(NOT_RUN_VERBS, element.name) ? NOT_RUN_VERBS[element.name] : undefined;
  const message =
    code === undefined
      ? `${quoted(element.name)} is not a verb (names are case-sensitive)${NEXT_IS_RUN}`
      : `${element.name} is not run by this server${NEXT_IS_RUN}`;
  warn(problems, code ?? 12200, element.line, message);
}

function readPrompt(element: TwimlElement, problems: TwimlProblem[]): PromptVerb | undefined {
  switch (element.name) {
    case 'Say':
      return readSay(element, problems);
    case 'Play':
      return readPlay(element, problems);
    default: {
      warnAboutChildren(element, problems);
      const { length } = readAttributes(element, PAUSE, problems);
      return { kind: 'pause', lengthSeconds: integer(length, 1) };
    }
  }
}

const VERB_NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(NOT_RUN_VERBS),
  ...['Say', 'Play', 'Pause', 'Gather', 'Record', 'Dial', 'Redirect', 'Hangup', 'Reject'],
]);

function readSay(element: TwimlElement, problems: TwimlProblem[]): SayVerb | undefined {
  const nested = findVerb(element);
  if (nested !== undefined) {
    const message = `${nested.name} inside Say: want text and SSML only; close the Say before it`;
    problems.push({ code: 12200, level: 'error', message, line: nested.line });
    return undefined;
  }
  const { voice, language, loop } = readAttributes(element, SAY, problems);
  const parts = sayParts(element, problems);
  const length = parts.reduce((sum, part) => sum + (part.kind === 'text' ? part.text.length : 0), 0);
  if (length > MAX_SAY_CHARS) {
    const message = `got ${length} characters, want at most ${MAX_SAY_CHARS}; split it into several Say verbs`;
    problems.push({ code: 13521, level: 'error', message, line: element.line });
    return undefined;
  }
  if (length === 0) warn(problems, 13520, element.line, 'Say has no text; it is left out');
  return length === 0 ? undefined : { kind: 'say', parts, voice, language, loop: integer(loop, 1) };
}

/** A verb anywhere below; SSML names are all lower case, so none is taken for one. */
function findVerb(element: TwimlElement): TwimlElement | undefined {
  for (const child of element.children) {
    const found = VERB_NAMES.has(child.name) ? child : findVerb(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readPlay(element: TwimlElement, problems: TwimlProblem[]): PlayVerb | undefined {
  warnAboutChildren(element, problems);
  const { digits, loop } = readAttributes(element, PLAY, problems);
  const url = element.text === '' ? undefined : element.text;
  if (url === undefined && digits === undefined) {
    warn(problems, 12200, element.line, 'Play has neither the URL of a sound nor digits; it is left out');
    return undefined;
  }
  return { kind: 'play', url, digits, loop: integer(loop, 1) };
}

function warnAboutChildren(element: TwimlElement, problems: TwimlProblem[], code = 12200): void {
  for (const child of element.children) {
    warn(problems, code, child.line, `${quoted(child.name)} inside ${element.name} is left out`);
  }
}

function readGather(element: TwimlElement, problems: TwimlProblem[]): GatherVerb {
  const attributes = readAttributes(element, GATHER, problems);
  const prompts: PromptVerb[] = [];
  for (const piece of element.content) {
    if (typeof piece === 'string') warnAboutText(piece, element, problems);
    else if (['Say', 'Play', 'Pause'].includes(piece.name)) pushDefined(prompts, readPrompt(piece, problems));
    else warn(problems, 13320, piece.line, `${quoted(piece.name)} inside Gather is left out: want Say, Play, Pause`);
  }
  const input = (attributes['input'] ?? 'dtmf').split(' ');
  if (input.includes('speech')) {
    warn(problems, 13326, element.line, 'speech is not recognised by this server: only digits are gathered');
  }
  return {
    kind: 'gather',
    prompts,
    action: nonEmpty(attributes['action']),
    method: methodOf(attributes['method']),
    timeoutSeconds: integer(attributes['timeout'], 5),
    finishOnKey: attributes['finishOnKey'] ?? '#',
    numDigits: attributes['numDigits'] === undefined ? undefined : Number(attributes['numDigits']),
    actionOnEmptyResult: attributes['actionOnEmptyResult'] === 'true',
    bargeIn: attributes['bargeIn'] !== 'false',
    takesDigits: input.includes('dtmf') || input.every((word) => word === ''),
  };
}

function readRecord(element: TwimlElement, problems: TwimlProblem[]): RecordVerb {
  warnAboutChildren(element, problems);
  const attributes = readAttributes(element, RECORD, problems);
  if (attributes['transcribe'] === 'true' || attributes['transcribeCallback'] !== undefined) {
    warn(problems, 13615, element.line, 'the recording is made, its text is not');
  }
  return {
    kind: 'record',
    action: nonEmpty(attributes['action']),
    method: methodOf(attributes['method']),
    timeoutSeconds: integer(attributes['timeout'], 5),
    finishOnKey: attributes['finishOnKey'] ?? '1234567890*#',
    maxLengthSeconds: integer(attributes['maxLength'], 3600),
    playBeep: attributes['playBeep'] !== 'false',
    trim: (attributes['trim'] ?? 'trim-silence') === 'trim-silence',
    statusCallback: nonEmpty(attributes['recordingStatusCallback']),
    statusCallbackMethod: methodOf(attributes['recordingStatusCallbackMethod']),
    statusCallbackEvents: recordingEvents(attributes['recordingStatusCallbackEvent']),
  };
}

function recordingEvents(words: string | undefined): RecordVerb['statusCallbackEvents'] {
  if (words === undefined || words === '') return ['completed'];
  return (['in-progress', 'completed', 'absent'] as const).filter((event) => words.split(' ').includes(event));
}

function readDial(element: TwimlElement, problems: TwimlProblem[]): DialVerb | undefined {
  const attributes = readAttributes(element, DIAL, problems);
  const nouns = element.children.flatMap((child) => readNoun(child, problems));
  if (nouns.length > MAX_DIAL_NOUNS) {
    warn(problems, 13215, element.line, `got ${nouns.length} destinations, want at most ${MAX_DIAL_NOUNS}`);
  }
  if (nouns.length === 0 && element.text === '') {
    warn(problems, 13224, element.line, `Dial has no destination that can be dialled${NEXT_IS_RUN}`);
    return undefined;
  }
  const children = nouns.slice(0, MAX_DIAL_NOUNS);
  const content = children.length > 0 ? children : [element.text];
  const text = children.length > 0 ? '' : element.text;
  return {
    kind: 'dial',
    element: { ...element, attributes, children, content, text },
    action: nonEmpty(attributes['action']),
    method: methodOf(attributes['method']),
    answerOnBridge: attributes['answerOnBridge'] === 'true',
  };
}

function readNoun(element: TwimlElement, problems: TwimlProblem[]): readonly TwimlElement[] {
  const rules: AttributeRules | undefined = Object.hasOwn(DIAL_NOUNS, element.name)
    ? DIAL_NOUNS[element.name]
    : undefined;
  if (rules !== undefined) return [{ ...element, attributes: readAttributes(element, rules, problems) }];
  const why = NOT_RUN_NOUNS.includes(element.name) ? 'cannot be dialled by this server' : 'is not a destination';
  warn(problems, 13215, element.line, `${quoted(element.name)} inside Dial ${why}; it is left out`);
  return [];
}

function readRedirect(element: TwimlElement, problems: TwimlProblem[]): Verb {
  warnAboutChildren(element, problems);
  const { method } = readAttributes(element, REDIRECT, problems);
  return { kind: 'redirect', url: element.text, method: methodOf(method) };
}

function integer(text: string | undefined, byDefault: number): number {
  return text === undefined ? byDefault : Number(text);
}

function methodOf(text: string | undefined): Method {
  return text === 'GET' ? 'GET' : 'POST';
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
