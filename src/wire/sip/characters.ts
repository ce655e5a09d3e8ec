/** Character classes of RFC 3261 25.1 as a table: one look per character, no regular expression on the parser's path. */
const TOKEN = 1;
const DIGIT = 2;
const HEX = 4;
/** What a host name is made of; `_` too, which container networks put into names. */
export const HOST = 8;
export const SCHEME = 16;
/** More than the grammar of a URI has is forgiven (`#`, raw UTF-8), but no blank, control, quote or angle bracket. */
export const URI = 32;
/** No blank and no control. */
export const VISIBLE = 64;
/** Of an unquoted parameter: tokens, hosts with their brackets and colons, and what phones put there without quotes. */
export const PARAMETER_VALUE = 128;

type CharacterClass = number;

const CLASSES = new Uint8Array(128);
/** Characters beyond ASCII, all alike. */
const BEYOND = URI | VISIBLE | PARAMETER_VALUE;

function mark(characters: string, mask: CharacterClass): void {
  for (const char of characters) CLASSES[char.charCodeAt(0)]! |= mask;
}

mark('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.', TOKEN | HOST | SCHEME | PARAMETER_VALUE);
mark("!%*`'~", TOKEN | PARAMETER_VALUE);
mark('_', TOKEN | HOST | PARAMETER_VALUE);
mark('+', TOKEN | SCHEME | PARAMETER_VALUE);
mark('[]:/@()$&=?{}|#', PARAMETER_VALUE);
mark('0123456789', DIGIT | HEX);
mark('ABCDEFabcdef', HEX);
for (let code = 0x21; code < 0x7f; code += 1)
  CLASSES[code]! |= '"<>'.includes(String.fromCharCode(code)) ? VISIBLE : URI | VISIBLE;

function isClass(code: number, mask: CharacterClass): boolean {
  return ((code < 128 ? (CLASSES[code] as number) : BEYOND) & mask) !== 0;
}

export const TAB = 9;
export const SPACE = 32;
export const QUOTE = 34;
export const BACKSLASH = 92;
const DELETE = 127;

export function isTokenCode(code: number): boolean {
  return isClass(code, TOKEN);
}

export function isDigitCode(code: number): boolean {
  return isClass(code, DIGIT);
}

export function isHexCode(code: number): boolean {
  return isClass(code, HEX);
}

export function isBlankCode(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** C0 controls and DEL. */
export function isControlCode(code: number): boolean {
  return code < SPACE || code === DELETE;
}

export function isParameterValueCode(code: number): boolean {
  return isClass(code, PARAMETER_VALUE);
}

/** One or more token characters and nothing else. */
export function isToken(text: string): boolean {
  return isAll(text, TOKEN);
}

/** One or more ASCII digits and nothing else. */
export function isDigits(text: string): boolean {
  return isAll(text, DIGIT);
}

/** One or more characters of a class and nothing else. */
export function isAll(text: string, mask: CharacterClass): boolean {
  for (let index = 0; index < text.length; index += 1) if (!isClass(text.charCodeAt(index), mask)) return false;
  return text.length > 0;
}

export function everyCode(text: string, accept: (code: number) => boolean): boolean {
  for (let index = 0; index < text.length; index += 1) if (!accept(text.charCodeAt(index))) return false;
  return true;
}

/** First position at or after `from` that holds no blank. */
export function skipBlanks(text: string, from: number): number {
  let index = from;
  while (index < text.length && isBlankCode(text.charCodeAt(index))) index += 1;
  return index;
}

/** First position at or after `from` that holds no token character. */
export function skipToken(text: string, from: number): number {
  let index = from;
  while (index < text.length && isTokenCode(text.charCodeAt(index))) index += 1;
  return index;
}

/** Without spaces and tabs at both ends; other white space (String.trim takes it all) is content in SIP. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlankCode(text.charCodeAt(start))) start += 1;
  while (end > start && isBlankCode(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** Digits to a number of at most `max`; undefined for anything else, a sign or a blank included. */
export function parseWholeNumber(text: string, max: number): number | undefined {
  if (!isDigits(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
