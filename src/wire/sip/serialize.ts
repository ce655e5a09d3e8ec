import { TandemError } from '../../base/errors.ts';
import { quoted } from '../../base/parsed.ts';
import { isAll, isToken, VISIBLE } from './characters.ts';
import type { SipMessage } from './message.ts';

export type SipSerializeErrorCode = 'unsafe-header' | 'unsafe-start-line';

/** A message that must not leave: a line break in it would let its content write headers. */
export class SipSerializeError extends TandemError<SipSerializeErrorCode> {}

const encoder = new TextEncoder();

/**
 * The bytes of a message. Content-Length is always the body's true length, whatever the headers say. Throws
 * SipSerializeError where a start line, header name or value holds what could be read as another header.
 */
export function serializeMessage(message: SipMessage): Uint8Array {
  let text = startLine(message);
  for (const { name, value } of message.headers) {
    if (name === 'Content-Length') continue;
    if (!isToken(name)) throw new SipSerializeError('unsafe-header', `header name ${quoted(name)}: want a token`);
    if (hasLineBreak(value))
      throw new SipSerializeError('unsafe-header', `${name} ${quoted(value)}: want no line break in a value`);
    text += `${name}: ${value}\r\n`;
  }
  const head = encoder.encode(`${text}Content-Length: ${message.body.length}\r\n\r\n`);
  if (message.body.length === 0) return head;
  const bytes = new Uint8Array(head.length + message.body.length);
  bytes.set(head);
  bytes.set(message.body, head.length);
  return bytes;
}

function startLine(message: SipMessage): string {
  if (message.kind === 'response') {
    if (hasLineBreak(message.reason))
      throw new SipSerializeError('unsafe-start-line', `reason ${quoted(message.reason)}: want no line break`);
    return `${message.version} ${message.status} ${message.reason}\r\n`;
  }
  if (!isToken(message.method))
    throw new SipSerializeError('unsafe-start-line', `method ${quoted(message.method)}: want a token`);
  if (!isAll(message.uri, VISIBLE))
    throw new SipSerializeError('unsafe-start-line', `Request-URI ${quoted(message.uri)}: want no blank or control`);
  return `${message.method} ${message.uri} ${message.version}\r\n`;
}

function hasLineBreak(text: string): boolean {
  return text.includes('\r') || text.includes('\n');
}
