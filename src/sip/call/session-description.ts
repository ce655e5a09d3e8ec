import { mediaType } from '../../wire/sip/header-values.ts';
import { header, type SipHeader, type SipMessage } from '../../wire/sip/message.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const SDP_TYPE: SipHeader = { name: 'Content-Type', value: 'application/sdp' };

/** The session description in a message; undefined when it carries none. */
export function sdpOf(message: SipMessage): string | undefined {
  if (message.body.length === 0 || mediaType(header(message, 'Content-Type') ?? '') !== 'application/sdp')
    return undefined;
  return textOf(message);
}

export function textOf(message: SipMessage): string {
  return decoder.decode(message.body);
}

export function toBytes(text: string): Uint8Array {
  return encoder.encode(text);
}
