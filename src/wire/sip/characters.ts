/** Character classes of RFC 3261 25.1 as a table: one look per character, no regular expression on the parser's path. */
const TOKEN = 1;
const DIGIT = 2;
const HEX = 4;

const CLASSES = new Uint8Array(128);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
  CLASSES[char.charCodeAt(0)]! |= TOKEN;
for (const char of '0123456789') CLASSES[char.charCodeAt(0)]! |= DIGIT | HEX;
for (const char of 'ABCDEFabcdef') CLASSES[char.charCodeAt(0)]! |= HEX;

function isClass(code: number, mask: number): boolean {
  return code < 128 && ((CLASSES[code] as number) & mask) !== 0;
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

/** One or more token characters and nothing else. */
export function isToken(text: string): boolean {
  return text.length > 0 && everyCode(text, isTokenCode);
}

/** One or more ASCII digits and nothing else. */
export function isDigits(text: string): boolean {
  return text.length > 0 && everyCode(text, isDigitCode);
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
