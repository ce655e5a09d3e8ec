import { TandemError } from '../../base/errors.ts';
import { quoted } from '../../base/parsed.ts';
import { isAll, isToken, VISIBLE } from './characters.ts';
import type { SipMessage } from './message.ts';

export type SipSerializeErrorCode = 'unsafe-header' | 'unsafe-start-line';

/** A message that must not leave: a line break in it would let its content write headers. */
export class SipSerializeError extends TandemError<SipSerializeErrorCode> {}

const encoder = new TextEncoder();

/** Small messages are written one behind another into blocks: an allocation of its own costs more than the writing. */
const BLOCK_BYTES = 8_192;
/** A message that is kept keeps its block, so what takes much of one stands alone. */
const MAX_SHARED_BYTES = BLOCK_BYTES / 4;
/** UTF-8 has at most three bytes for a code unit. */
const MAX_BYTES_PER_CHAR = 3;
let block = new Uint8Array(BLOCK_BYTES);
let blockUsed = 0;

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
  text += `Content-Length: ${message.body.length}\r\n\r\n`;
  if (message.body.length === 0) return encode(text);
  const head = encoder.encode(text);
  const bytes = new Uint8Array(head.length + message.body.length);
  bytes.set(head);
  bytes.set(message.body, head.length);
  return bytes;
}

function encode(text: string): Uint8Array {
  const room = text.length * MAX_BYTES_PER_CHAR;
  if (room > MAX_SHARED_BYTES) return encoder.encode(text);
  if (blockUsed + room > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    blockUsed = 0;
  }
  const start = blockUsed;
  blockUsed += encoder.encodeInto(text, block.subarray(start)).written;
  return block.subarray(start, blockUsed);
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
