import type { Verb } from '../wire/twiml/verbs.ts';
import type { CallStatus, HttpMethod } from './model.ts';

/** Something that happened in a call, for whoever looks on. Texts are untrusted and cut to a limit. */
export type CallStep =
  | {
      readonly kind: 'state';
      readonly status: CallStatus;
      readonly sipStatus: number | null;
      readonly reason: string | null;
    }
  | { readonly kind: 'verb'; readonly verb: string; readonly detail: string }
  | { readonly kind: 'digit'; readonly digit: string }
  | ({ readonly kind: 'request' } & WebhookExchange)
  | { readonly kind: 'fault'; readonly code: number; readonly level: 'error' | 'warning'; readonly message: string };

/** One attempt of a request to the application. */
export interface WebhookExchange {
  readonly method: HttpMethod;
  /** Without credentials. */
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly durationMs: number;
  /** Null when no answer came. */
  readonly status: number | null;
  readonly contentType: string | null;
  /** The beginning of the answer; empty for a sound. */
  readonly body: string;
  /** Why it failed. */
  readonly failure: { readonly code: number; readonly message: string } | null;
}

/** Of a text that is kept to be looked at. */
export const MAX_STEP_TEXT_CHARS = 4096;
/** Of a verb's own words. */
const MAX_DETAIL_CHARS = 300;

export function cut(text: string, maxChars = MAX_STEP_TEXT_CHARS): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`;
}

/** A verb that begins. */
export function verbStep(verb: Verb): CallStep {
  return { kind: 'verb', verb: NAMES[verb.kind], detail: cut(detailOf(verb), MAX_DETAIL_CHARS) };
}

const NAMES: Readonly<Record<Verb['kind'], string>> = {
  say: 'Say',
  play: 'Play',
  pause: 'Pause',
  gather: 'Gather',
  record: 'Record',
  dial: 'Dial',
  redirect: 'Redirect',
  hangup: 'Hangup',
  reject: 'Reject',
};

function detailOf(verb: Verb): string {
  switch (verb.kind) {
    case 'say':
      return verb.parts
        .map((part) => (part.kind === 'text' ? part.text : ''))
        .join(' ')
        .trim();
    case 'play':
      return verb.url ?? `digits ${verb.digits ?? ''}`;
    case 'pause':
      return `${verb.lengthSeconds} s`;
    case 'gather':
      return [...verb.prompts.map(detailOf), `waits ${verb.timeoutSeconds} s for ${wantedDigits(verb.numDigits)}`].join(
        ' · ',
      );
    case 'record':
      return `at most ${verb.maxLengthSeconds} s`;
    case 'dial':
      return [verb.element.text, ...verb.element.children.map((noun) => `${noun.name} ${textBelow(noun)}`)]
        .filter((text) => text !== '')
        .join(', ');
    case 'redirect':
      return verb.url;
    case 'reject':
      return verb.reason;
    case 'hangup':
      return '';
  }
}

function wantedDigits(count: number | undefined): string {
  if (count === undefined) return 'keys';
  return count === 1 ? 'a key' : `${count} keys`;
}

function textBelow({
  text,
  children,
}: {
  readonly text: string;
  readonly children: readonly { readonly text: string }[];
}): string {
  return [text, ...children.map((child) => child.text)].filter((each) => each !== '').join(' ');
}
