import { quoted } from '../../base/parsed.ts';
import { collapse } from './document.ts';
import type { TwimlElement, TwimlProblem } from './document.ts';

/** What a Say is made of, in order: text to speak and silence between. */
export type SayPart =
  | { readonly kind: 'text'; readonly text: string; readonly language?: string }
  | { readonly kind: 'pause'; readonly durationMs: number };

/** Elements of SSML (W3C SSML 1.1) that a Say may hold. */
const SSML_NAMES: ReadonlySet<string> = new Set([
  'break',
  'emphasis',
  'lang',
  'p',
  'phoneme',
  'prosody',
  's',
  'say-as',
  'sub',
  'w',
]);
/** SSML 1.1 3.2.3 leaves the lengths to the engine. */
const BREAK_STRENGTH_MS: Readonly<Record<string, number>> = {
  none: 0,
  'x-weak': 100,
  weak: 200,
  medium: 400,
  strong: 700,
  'x-strong': 1000,
};
const DEFAULT_BREAK_MS = 400;
const MAX_BREAK_MS = 10_000;
const PARAGRAPH_PAUSE_MS = 600;
const SENTENCE_PAUSE_MS = 250;
/** Each part is one request to the speech engine; further marks are read as plain text. */
const MAX_PARTS = 100;
/** `interpret-as` values that are read sign by sign. */
const SPELLED: ReadonlySet<string> = new Set(['characters', 'spell-out', 'digits', 'telephone', 'verbatim']);

/** The parts of a Say. Elements that are not SSML are warnings (12200) and their text is read. */
export function sayParts(say: TwimlElement, problems: TwimlProblem[]): readonly SayPart[] {
  const collector = new PartCollector();
  collect(say, undefined, collector, problems);
  return collector.finish();
}

class PartCollector {
  readonly #parts: SayPart[] = [];
  #text = '';
  #language: string | undefined;

  text(piece: string, language: string | undefined): void {
    if (language !== this.#language) {
      this.#flush();
      this.#language = language;
    }
    this.#text += piece;
  }

  pause(durationMs: number): void {
    if (durationMs === 0 || this.#parts.length >= MAX_PARTS) {
      this.#text += ' ';
      return;
    }
    this.#flush();
    this.#parts.push({ kind: 'pause', durationMs });
  }

  finish(): readonly SayPart[] {
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    const text = collapse(this.#text);
    this.#text = '';
    if (text === '') return;
    const language = this.#language;
    this.#parts.push(language === undefined ? { kind: 'text', text } : { kind: 'text', text, language });
  }
}

function collect(
  element: TwimlElement,
  language: string | undefined,
  into: PartCollector,
  problems: TwimlProblem[],
): void {
  for (const piece of element.content) {
    if (typeof piece === 'string') into.text(piece, language);
    else collectElement(piece, language, into, problems);
  }
}

function collectElement(
  element: TwimlElement,
  language: string | undefined,
  into: PartCollector,
  problems: TwimlProblem[],
): void {
  switch (element.name) {
    case 'break':
      into.pause(breakMs(element));
      return;
    case 'sub':
      into.text(element.attributes['alias'] ?? element.text, language);
      return;
    case 'say-as':
      into.text(sayAs(element), language);
      return;
    case 'lang':
      collect(element, element.attributes['xml:lang'] ?? language, into, problems);
      return;
    case 'p':
    case 's':
      collect(element, language, into, problems);
      into.pause(element.name === 'p' ? PARAGRAPH_PAUSE_MS : SENTENCE_PAUSE_MS);
      return;
    default:
      if (!SSML_NAMES.has(element.name)) {
        const message = `${quoted(element.name)} inside Say is not an SSML element; its text is read`;
        problems.push({ code: 12200, level: 'warning', message, line: element.line });
      }
      collect(element, language, into, problems);
  }
}

function breakMs(element: TwimlElement): number {
  const time = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s)$/.exec(element.attributes['time']?.trim() ?? '');
  if (time !== null) return Math.min(Math.round(Number(time[1]) * (time[2] === 's' ? 1000 : 1)), MAX_BREAK_MS);
  const strength = element.attributes['strength'] ?? '';
  return Object.hasOwn(BREAK_STRENGTH_MS, strength) ? (BREAK_STRENGTH_MS[strength] ?? 0) : DEFAULT_BREAK_MS;
}

function sayAs(element: TwimlElement): string {
  const how = element.attributes['interpret-as'] ?? '';
  return SPELLED.has(how) ? ` ${[...element.text.replaceAll(' ', '')].join(' ')} ` : element.text;
}
