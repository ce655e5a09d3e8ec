import type { Abilities } from './validate.ts';
import type { SipMessage } from './message.ts';
import { parseDatagram } from './parse.ts';

const encoder = new TextEncoder();

/** The bytes of a message written with plain line feeds in a test. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text.replaceAll('\n', '\r\n'));
}

/** The message of one datagram; fails the test when it cannot be framed. */
export function messageOf(text: string | Uint8Array): SipMessage {
  const parsed = parseDatagram(typeof text === 'string' ? bytesOf(text) : text);
  if (parsed.kind !== 'ok') throw new Error(`not framed: ${JSON.stringify(parsed)}`);
  return parsed.value;
}

export function requestOf(text: string | Uint8Array): Extract<SipMessage, { kind: 'request' }> {
  const message = messageOf(text);
  if (message.kind !== 'request') throw new Error('want a request');
  return message;
}

/** An OPTIONS with nothing wrong in it; `lines` replace headers of the same name, or are added. */
export function optionsRequest(lines: Readonly<Record<string, string>> = {}, body = ''): string {
  const headers: Record<string, string> = {
    Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport',
    'Max-Forwards': '70',
    From: '<sip:caller@example.com>;tag=1',
    To: '<sip:user@example.com>',
    'Call-ID': 'c1@example.com',
    CSeq: '1 OPTIONS',
    ...lines,
  };
  const text = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
  return `OPTIONS sip:user@example.com SIP/2.0\n${text.join('')}\n${body}`;
}

/** What an ordinary telephone server can do. */
export const ABILITIES: Abilities = {
  methods: 'INVITE ACK BYE CANCEL OPTIONS REGISTER INFO UPDATE MESSAGE REFER NOTIFY'.split(' '),
  extensions: ['timer', 'replaces'],
  schemes: ['sip', 'sips', 'tel'],
  contentTypes: (method) => (method === 'INVITE' ? ['application/sdp'] : undefined),
  answerType: (method) => (method === 'INVITE' ? 'application/sdp' : undefined),
};
