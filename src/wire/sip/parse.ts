import type { Parsed } from '../../base/parsed.ts';
import { quoted } from '../../base/parsed.ts';
import { isDigits, isToken, SPACE, TAB, trimBlanks } from './characters.ts';
import { canonicalHeaderName, NO_BODY, type SipHeader, type SipMessage } from './message.ts';

/** Header lines kept of one message; what has more is a defect. */
export const MAX_HEADER_LINES = 512;
/** Largest datagram body or stream body unless the owner says otherwise. */
export const MAX_BODY_BYTES = 65_535;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const NUL = 0;

/**
 * Header text is UTF-8 (RFC 3261 25.1). Bytes that are not are replaced by U+FFFD, not kept: a value goes on into logs,
 * JSON and databases that take Unicode only, and what SIP matches by (branch, tag, Call-ID) is ASCII.
 * A byte order mark is kept, because a peer must not be able to hide three bytes.
 */
const headerText = new TextDecoder('utf-8', { ignoreBOM: true });

/** Start line and headers without the body. */
export interface SipHead {
  readonly message: SipMessage;
  /** Content-Length; undefined when there is none, or none that can be believed (then `message.defect` says why). */
  readonly bodyLength: number | undefined;
}

type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string; readonly version: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string; readonly version: string };

/**
 * One datagram, one message (RFC 3261 18.3): the body ends at Content-Length, or at the end without one; more is dropped;
 * too few bytes are a `defect`. `need-more` means a keep-alive without content. `bad` means not SIP: nobody to answer.
 */
export function parseDatagram(bytes: Uint8Array): Parsed<SipMessage> {
  const start = skipKeepAlive(bytes);
  if (start === bytes.length) return { kind: 'need-more' };
  const end = findHeadEnd(bytes, start, bytes.length);
  const headEnd = end?.headEnd ?? bytes.length;
  const head = parseHead(bytes.subarray(start, headEnd));
  if (head.kind !== 'ok') return head;
  const { message, bodyLength } = head.value;
  if (end === undefined) return whole(withDefect(message, 'no empty line after the headers'), bytes);
  const available = bytes.length - end.bodyStart;
  const length = Math.min(bodyLength ?? available, available);
  const complete = withBody(message, bytes.subarray(end.bodyStart, end.bodyStart + length));
  if (bodyLength === undefined || bodyLength <= available) return whole(complete, bytes);
  return whole(withDefect(complete, `Content-Length ${bodyLength}, but ${available} bytes came`), bytes);
}

function whole(value: SipMessage, bytes: Uint8Array): Parsed<SipMessage> {
  return { kind: 'ok', value, used: bytes.length };
}

/** Empty lines before the start line (7.5); NULs are what some phones send to keep a NAT binding open. */
function skipKeepAlive(bytes: Uint8Array): number {
  let index = 0;
  while (index < bytes.length) {
    const byte = bytes[index];
    if (byte !== CARRIAGE_RETURN && byte !== LINE_FEED && byte !== NUL) break;
    index += 1;
  }
  return index;
}

/** Where the first empty line is: the head ends at `headEnd`, the body begins at `bodyStart`. */
export function findHeadEnd(
  bytes: Uint8Array,
  from: number,
  to: number,
): { readonly headEnd: number; readonly bodyStart: number } | undefined {
  for (let feed = bytes.indexOf(LINE_FEED, from); feed >= 0 && feed < to; feed = bytes.indexOf(LINE_FEED, feed + 1)) {
    const next = feed + 1;
    if (next < to && bytes[next] === LINE_FEED) return { headEnd: next, bodyStart: next + 1 };
    if (next + 1 < to && bytes[next] === CARRIAGE_RETURN && bytes[next + 1] === LINE_FEED)
      return { headEnd: next, bodyStart: next + 2 };
  }
  return undefined;
}

/** Start line and headers, without the empty line. Everything but the start line may be broken: that is a `defect`. */
export function parseHead(bytes: Uint8Array): Parsed<SipHead> {
  const text = headerText.decode(bytes);
  const lines = new HeaderLines(text);
  const line = lines.next();
  const startLine = line === undefined ? undefined : parseStartLine(line);
  if (startLine === undefined)
    return { kind: 'bad', offset: 0, reason: `start line ${quoted(line ?? '')}: want a SIP request or status line` };
  const headers = parseHeaders(lines);
  const length = contentLength(headers, lines);
  const message: SipMessage = { ...startLine, headers, body: NO_BODY };
  const value = {
    message: lines.defect === undefined ? message : { ...message, defect: lines.defect },
    bodyLength: length,
  };
  return { kind: 'ok', value, used: bytes.length };
}

/** Logical lines of a head: folded ones joined by one space (7.3.1). Remembers the first defect. */
class HeaderLines {
  readonly #text: string;
  #at = 0;
  defect: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  report(defect: string): void {
    this.defect ??= defect;
  }

  next(): string | undefined {
    if (this.#at >= this.#text.length) return undefined;
    const first = this.#physicalLine();
    if (!this.#atContinuation()) return first;
    const parts = [trimBlanks(first)];
    while (this.#atContinuation()) parts.push(trimBlanks(this.#physicalLine()));
    return parts.join(' ');
  }

  #atContinuation(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    return code === SPACE || code === TAB;
  }

  /**
   * A line feed alone ends a line too, so that such a request gets its 400. A carriage return alone becomes a space, so
   * that no value can carry a line break into a message that copies it.
   */
  #physicalLine(): string {
    const text = this.#text;
    const feed = text.indexOf('\n', this.#at);
    const end = feed < 0 ? text.length : feed;
    const ended = end > this.#at && text.charCodeAt(end - 1) === CARRIAGE_RETURN;
    const line = text.slice(this.#at, ended ? end - 1 : end);
    this.#at = end + 1;
    if (!ended) this.report('a line ends without CRLF');
    if (!line.includes('\r')) return line;
    this.report('a carriage return inside a line');
    return line.replaceAll('\r', ' ');
  }
}

/**
 * `Method SP Request-URI SP SIP-Version` or `SIP-Version SP Status-Code SP Reason-Phrase` (7.1, 7.2). More blanks than
 * one, and blanks at the end, are forgiven (RFC 4475 3.1.2.7, 3.1.2.9) and never passed on.
 */
function parseStartLine(line: string): StartLine | undefined {
  const firstBlank = line.indexOf(' ');
  if (firstBlank <= 0) return undefined;
  const first = line.slice(0, firstBlank);
  if (isSipVersion(first)) return parseStatusLine(first, line.slice(firstBlank + 1));
  const rest = trimBlanks(line.slice(firstBlank));
  const lastBlank = rest.lastIndexOf(' ');
  if (lastBlank < 0 || !isToken(first)) return undefined;
  const version = rest.slice(lastBlank + 1);
  if (!isSipVersion(version)) return undefined;
  return { kind: 'request', method: first, uri: trimBlanks(rest.slice(0, lastBlank)), version: version.toUpperCase() };
}

/** A status of more digits than three is read, so that it can be refused by its number; of these no number is exact. */
const MAX_STATUS_DIGITS = 10;

function parseStatusLine(version: string, rest: string): StartLine | undefined {
  const text = trimBlanks(rest);
  const blank = text.indexOf(' ');
  const code = blank < 0 ? text : text.slice(0, blank);
  if (!isDigits(code) || code.length > MAX_STATUS_DIGITS) return undefined;
  const reason = blank < 0 ? '' : trimBlanks(text.slice(blank));
  return { kind: 'response', status: Number(code), reason, version: version.toUpperCase() };
}

/** `SIP/` and digits around a dot; the name is case-insensitive (7.1). */
function isSipVersion(text: string): boolean {
  if (text === 'SIP/2.0') return true;
  const dot = text.indexOf('.');
  return text.slice(0, 4).toUpperCase() === 'SIP/' && isDigits(text.slice(4, dot)) && isDigits(text.slice(dot + 1));
}

function parseHeaders(lines: HeaderLines): readonly SipHeader[] {
  const headers: SipHeader[] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (headers.length === MAX_HEADER_LINES) {
      lines.report(`more than ${MAX_HEADER_LINES} header lines`);
      break;
    }
    const colon = line.indexOf(':');
    // 7.3.1: blanks may stand before the colon.
    const name = colon < 0 ? undefined : canonicalHeaderName(trimBlanks(line.slice(0, colon)));
    if (name !== undefined) headers.push({ name, value: trimBlanks(line.slice(colon + 1)) });
    else lines.report(`header line ${quoted(line)}: want a name, a colon and a value`);
  }
  return headers;
}

function contentLength(headers: readonly SipHeader[], lines: HeaderLines): number | undefined {
  let length: number | undefined;
  for (const { name, value } of headers) {
    if (name !== 'Content-Length') continue;
    // 20.14: digits only. A sign or a blank would let two parsers disagree about where the message ends.
    const each = isDigits(value) ? Number(value) : undefined;
    if (each === undefined || !Number.isSafeInteger(each) || (length !== undefined && each !== length)) {
      lines.report(
        length === undefined ? `Content-Length ${quoted(value)}: want digits` : 'Content-Length twice, with two values',
      );
      return undefined;
    }
    length = each;
  }
  return length;
}

/** The message with a copy of `body`, so that the caller may use its buffer again. */
export function withBody(message: SipMessage, body: Uint8Array): SipMessage {
  return body.length === 0 ? message : { ...message, body: new Uint8Array(body) };
}

export function withDefect(message: SipMessage, defect: string): SipMessage {
  return message.defect === undefined ? { ...message, defect } : message;
}
