import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { quoted } from '../../base/parsed.ts';
import { collapse, syntheticDocument, syntheticElement } from './document.ts';
import type { TwimlDocument, TwimlElement, TwimlProblem } from './document.ts';

/** Characters of a document; the vendor's limit is 64 kB. */
export const MAX_TWIML_CHARS = 65_536;
export const MAX_TWIML_DEPTH = 20;
export const MAX_TWIML_ELEMENTS = 2000;

export type ParsedTwiml =
  { readonly kind: 'ok'; readonly document: TwimlDocument } | { readonly kind: 'bad'; readonly problem: TwimlProblem };

/**
 * Reads an application's answer. XML becomes the document, text/plain a document that reads the text aloud. Audio is
 * not text and is the caller's matter. Without a content type the text decides. Codes of `bad`: 11750, 12100, 12101,
 * 12102, 12300.
 */
export function parseTwiml(text: string, contentType?: string): ParsedTwiml {
  if (text.length > MAX_TWIML_CHARS) {
    return bad(11750, `got ${text.length} characters, want at most ${MAX_TWIML_CHARS}`, 0);
  }
  switch (contentKind(contentType)) {
    case 'xml':
      return parseXml(text);
    case 'plain':
      return readAloud(text);
    case 'unknown':
      return text.trimStart().startsWith('<') ? parseXml(text) : wrongType('no content type');
    case 'other':
      return wrongType(quoted(contentType ?? ''));
  }
}

function readAloud(text: string): ParsedTwiml {
  return { kind: 'ok', document: syntheticDocument(syntheticElement('Say', text)) };
}

function wrongType(got: string): ParsedTwiml {
  return bad(12300, `got ${got}, want text/xml, application/xml, text/plain or an audio type`, 0);
}

function contentKind(contentType: string | undefined): 'xml' | 'plain' | 'unknown' | 'other' {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '') return 'unknown';
  if (type === 'text/plain') return 'plain';
  // The vendor takes text/html as TwiML too; many frameworks send it by default.
  if (type === 'text/xml' || type === 'application/xml' || type === 'text/html' || type.endsWith('+xml')) return 'xml';
  return 'other';
}

function bad(code: number, message: string, line: number): ParsedTwiml {
  return { kind: 'bad', problem: { code, level: 'error', message, line } };
}

/** Ends the parser's run from within its handlers; never leaves this file. */
class Refusal extends Error {
  readonly code: number;
  readonly line: number;
  constructor(code: number, message: string, line: number) {
    super(message);
    this.code = code;
    this.line = line;
  }
}

interface OpenElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: TwimlElement[];
  readonly content: (TwimlElement | string)[];
  readonly line: number;
  ownText: string;
}

function parseXml(text: string): ParsedTwiml {
  const tree = new TreeBuilder();
  try {
    const root = tree.build(text);
    if (root.name !== 'Response') {
      return bad(12102, `got ${quoted(root.name)}, want Response (names are case-sensitive)`, root.line);
    }
    return { kind: 'ok', document: { root } };
  } catch (thrown) {
    if (thrown instanceof Refusal) return bad(thrown.code, thrown.message, thrown.line);
    throw thrown;
  }
}

class TreeBuilder {
  readonly #parser = new SaxesParser({ xmlns: false, position: true });
  readonly #open: OpenElement[] = [];
  #root: TwimlElement | undefined;
  #elements = 0;
  #startLine = 1;

  build(text: string): TwimlElement {
    const parser = this.#parser;
    parser.on('error', (error) => this.#refuse(12100, withoutPosition(error.message)));
    // No document type: entities of one's own make a small document explode, external ones reach out of the machine.
    parser.on('doctype', () => this.#refuse(12100, 'a document type declaration is not allowed'));
    parser.on('xmldecl', (declaration) => {
      if (declaration.version !== undefined && declaration.version !== '1.0') {
        this.#refuse(12101, `got ${quoted(declaration.version)}, want 1.0`);
      }
    });
    parser.on('opentagstart', () => (this.#startLine = parser.line));
    parser.on('opentag', (tag) => this.#enter(tag));
    parser.on('closetag', () => this.#leave());
    parser.on('text', (piece) => this.#text(piece));
    parser.on('cdata', (piece) => this.#text(piece));
    // An application that prints a blank line before the declaration is understood nevertheless.
    parser.write(text.trimStart().replace(/^\uFEFF/, '')).close();
    return this.#root ?? this.#refuse(12100, 'got no element, want a Response');
  }

  #enter(tag: SaxesTagPlain): void {
    this.#elements += 1;
    if (this.#elements > MAX_TWIML_ELEMENTS) this.#refuse(11750, `more than ${MAX_TWIML_ELEMENTS} elements`);
    if (this.#open.length >= MAX_TWIML_DEPTH) this.#refuse(11750, `nested deeper than ${MAX_TWIML_DEPTH} levels`);
    this.#open.push({
      name: tag.name,
      attributes: Object.fromEntries(Object.entries(tag.attributes)),
      children: [],
      content: [],
      line: this.#startLine,
      ownText: '',
    });
  }

  #leave(): void {
    const done = this.#open.pop();
    if (done === undefined) return;
    const { ownText, ...rest } = done;
    const element: TwimlElement = { ...rest, text: collapse(ownText) };
    const parent = this.#open.at(-1);
    if (parent === undefined) {
      this.#root = element;
      return;
    }
    parent.children.push(element);
    parent.content.push(element);
    // Words on both sides of an element stay two words.
    parent.ownText += ' ';
  }

  #text(piece: string): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) return;
    parent.content.push(piece);
    parent.ownText += piece;
  }

  #refuse(code: number, message: string): never {
    throw new Refusal(code, `line ${this.#parser.line}: ${message}`, this.#parser.line);
  }
}

/** The parser writes `line:column: ` before its messages; the line is told apart. */
function withoutPosition(message: string): string {
  return message.replace(/^\d+:\d+: /, '');
}
