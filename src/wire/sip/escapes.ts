import { isHexCode } from './characters.ts';

const PERCENT = 0x25;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Bytes that are not UTF-8 become U+DC80..U+DCFF (code units that no text has), so that an address that was escaped in
 * another character set leaves with the same escapes it came with.
 */
const RAW_BYTE = 0xdc00;

/** Undoes `%HH` once (RFC 3261 19.1.2); undefined when a `%` has no two hexadecimal digits behind it. */
export function decodeEscapes(text: string): string | undefined {
  if (!text.includes('%')) return text;
  let decoded = '';
  for (let at = 0; at < text.length;) {
    const percent = text.indexOf('%', at);
    if (percent < 0) return decoded + text.slice(at);
    decoded += text.slice(at, percent);
    const bytes: number[] = [];
    at = percent;
    while (text.charCodeAt(at) === PERCENT) {
      if (!isHexCode(text.charCodeAt(at + 1)) || !isHexCode(text.charCodeAt(at + 2))) return undefined;
      bytes.push(parseInt(text.slice(at + 1, at + 3), 16));
      at += 3;
    }
    decoded += decodeBytes(Uint8Array.from(bytes));
  }
  return decoded;
}

function decodeBytes(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return decodeMixed(bytes);
  }
}

/** Each character by itself: a broken one must not change how its neighbours are read and written again. */
function decodeMixed(bytes: Uint8Array): string {
  let decoded = '';
  for (let at = 0; at < bytes.length;) {
    const character = decodeCharacter(bytes, at);
    decoded += character ?? String.fromCharCode(RAW_BYTE + (bytes[at] as number));
    at += character === undefined ? 1 : sequenceBytes(bytes[at] as number);
  }
  return decoded;
}

/** The character that begins at `at`; undefined when none does. */
function decodeCharacter(bytes: Uint8Array, at: number): string | undefined {
  const length = sequenceBytes(bytes[at] as number);
  // Most that is broken is seen here, which costs less than to catch what the decoder throws.
  for (let next = 1; next < length; next += 1) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return undefined;
  if (length === 0) return undefined;
  try {
    return strictUtf8.decode(bytes.subarray(at, at + length));
  } catch {
    return undefined;
  }
}

/** How many bytes the first one of a UTF-8 sequence announces (RFC 3629 3); 0 for one that begins none. */
function sequenceBytes(first: number): number {
  if (first < 0x80) return 1;
  return first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** Escapes all but letters, digits and the characters of `plain`. */
export function encodeEscapes(text: string, plain: string): string {
  if (!NEEDS_A_LOOK.test(text)) return text;
  let encoded = '';
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (isLetterOrDigit(code) || plain.includes(char)) encoded += char;
    else if (code >= RAW_BYTE + 128 && code <= RAW_BYTE + 255) encoded += escapeByte(code - RAW_BYTE);
    else encoded += Array.from(encoder.encode(char), escapeByte).join('');
  }
  return encoded;
}

const NEEDS_A_LOOK = /[^A-Za-z0-9]/;

function isLetterOrDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function escapeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
