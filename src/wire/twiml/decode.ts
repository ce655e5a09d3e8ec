import { quoted } from '../../base/parsed.ts';
import type { TwimlProblem } from './document.ts';

export type DecodedText =
  { readonly kind: 'ok'; readonly text: string } | { readonly kind: 'bad'; readonly problem: TwimlProblem };

const XML_DECLARATION_BYTES = 200;

/**
 * Bytes of an answer as text. The byte order mark decides, then the content type's charset, then the XML declaration,
 * else UTF-8 (RFC 7303 3). Bytes that are not of that charset are code 12100.
 */
export function decodeTwiml(bytes: Uint8Array, contentType = ''): DecodedText {
  const charset = byteOrderMark(bytes) ?? charsetOf(contentType) ?? declaredEncoding(bytes) ?? 'utf-8';
  try {
    return { kind: 'ok', text: new TextDecoder(charset, { fatal: true }).decode(bytes) };
  } catch {
    // Either the name is not known or the bytes do not fit it.
    const message = `the bytes are not text in charset ${quoted(charset)}; want UTF-8, or the right charset in the content type`;
    return { kind: 'bad', problem: { code: 12100, level: 'error', message, line: 1 } };
  }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  return undefined;
}

function charsetOf(contentType: string): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1];
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, XML_DECLARATION_BYTES));
  return /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(start)?.[1];
}
