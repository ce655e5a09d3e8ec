import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { randomInteger, type Random } from '../../../src/base/random.ts';
import * as address from '../../../src/wire/sip/address.ts';
import { responseTo } from '../../../src/wire/sip/build.ts';
import * as digest from '../../../src/wire/sip/digest.ts';
import * as values from '../../../src/wire/sip/header-values.ts';
import type { SipMessage } from '../../../src/wire/sip/message.ts';
import { parseDatagram } from '../../../src/wire/sip/parse.ts';
import { parseParameters, splitCommas } from '../../../src/wire/sip/parameters.ts';
import { ABILITIES } from '../../../src/wire/sip/sample.fixture.ts';
import { serializeMessage, SipSerializeError } from '../../../src/wire/sip/serialize.ts';
import { StreamFramer, type StreamEvent } from '../../../src/wire/sip/stream-framer.ts';
import {
  addressOfRecord,
  formatSipUri,
  MAX_URI_CHARS,
  parseSipUri,
  phoneDigits,
  sameSipUri,
} from '../../../src/wire/sip/uri.ts';
import { validateRequest, validateResponse } from '../../../src/wire/sip/validate.ts';
import { formatVia, parseTopVia, parseViaList } from '../../../src/wire/sip/via.ts';
import { bytesOf, lines, textOf, type FuzzTarget } from '../fuzz-target.ts';
import { pick } from '../mutate.ts';
import { SIP_MESSAGES } from './sip-messages.ts';

/** The torture messages of RFC 4475, where the machine has them. */
const TORTURE = new URL('../../../../../shared/contracts/rfc4475/', import.meta.url);
const CORPUS: readonly Uint8Array[] = [
  ...SIP_MESSAGES.map(lines),
  ...(existsSync(TORTURE)
    ? readdirSync(TORTURE)
        .filter((name) => name.endsWith('.dat'))
        .map((name) => new Uint8Array(readFileSync(new URL(name, TORTURE))))
    : []),
];

const METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'REGISTER', 'OPTIONS', 'INFO', 'UPDATE', 'REFER', 'NOTIFY', 'X-y'];
const VALUES = [
  '<sip:a@h>;tag=1',
  '"q\\"x" <sips:a%40b:p%20w@[2001:db8::1]:5061;lr;transport=tcp?Subject=x&b=>;q=0.5;expires=60',
  '*',
  'SIP/2.0/UDP h:5060;branch=z9hG4bK1;rport;received=192.0.2.1',
  'SIP / 2.0 / TCP [::1];ttl=1, SIP/2.0/UDP b;branch=x',
  '1 INVITE',
  '4294967296 X',
  'Digest username="u", realm="r\\"", nonce="n", uri="sip:h", response="0123456789abcdef0123456789abcdef", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c", opaque=""',
  'Digest realm="r", qop="auth,auth-int", nonce="n", stale=TRUE, algorithm=MD5',
  'a@b;to-tag=1;from-tag=2;early-only',
  '<sip:x@y;method=INVITE?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>',
  '1800;refresher=uac',
  '120 (in a meeting);duration=60',
  'application/sdp;charset="utf-8"',
  '1 2 INVITE',
  '0',
  '',
];
const HEADERS = [
  ...['Via', 'v', 'From', 'f', 'To', 't', 'Call-ID', 'i', 'CSeq', 'Contact', 'm', 'Record-Route', 'Route'],
  ...['Max-Forwards', 'Expires', 'Content-Length', 'l', 'Content-Type', 'c', 'Authorization', 'WWW-Authenticate'],
  ...['Proxy-Authorization', 'Session-Expires', 'x', 'Min-SE', 'Replaces', 'Refer-To', 'r', 'RAck', 'RSeq', 'Event'],
  ...['Require', 'Supported', 'k', 'Subject', 's', 'Retry-After', 'Allow', 'Date', 'X-Own', '__proto__', 'constructor'],
];
const WORDS = [
  ...HEADERS.map((name) => `\r\n${name}: `),
  ...VALUES,
  ...METHODS,
  ...[
    'SIP/2.0',
    'sip:',
    'sips:',
    'tel:',
    '\r\n\r\n',
    '\r\n ',
    '\r\n\t',
    ';lr',
    ';q=',
    '%00',
    '%zz',
    '[::',
    ']:',
    '<',
    '>',
    '"',
  ],
];
const UNITS = [
  ...[
    ' ',
    '\t',
    ';',
    ',',
    '"',
    '\\',
    '<',
    '>',
    '@',
    ':',
    '%',
    '%41',
    '=',
    '/',
    '[',
    '::',
    ';a=b',
    ';a',
    ', <sip:a@b>',
    'a,',
  ],
  ...['"a" ', 'a="b",', 'SIP/2.0/UDP h,', 'sip:', '0', '.', '(', '(a)', 'é', '?a=b', '&', '\r\n ', '1.', 'a.', '\\"'],
];

/** A message of lines that fit together more or less. */
function generate(random: Random): Uint8Array {
  const method = pick(METHODS, random);
  const start =
    randomInteger(random, 0, 3) === 0
      ? `SIP/2.0 ${randomInteger(random, 99, 700)} x`
      : `${method} ${uri(random)} SIP/2.0`;
  const whole = [
    'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
    'From: <sip:a@h>;tag=1',
    'To: <sip:b@h>',
    'Call-ID: 1',
    `CSeq: 1 ${method}`,
  ].filter(() => randomInteger(random, 0, 9) > 0);
  const odd = Array.from(
    { length: randomInteger(random, 0, 8) },
    () => `${pick(HEADERS, random)}: ${pick(VALUES, random)}`,
  );
  const body = pick(['', 'v=0\r\n', 'SIP/2.0 200 OK'], random);
  return bytesOf([start, ...whole, ...odd, `Content-Length: ${body.length}`, '', body].join('\r\n'));
}

function uri(random: Random): string {
  return pick(
    ['sip:b@h', 'tel:+1', 'sips:[::1]:1;lr', 'sip:a;b=c@h;d?e=f', 'http://x', '*', 'sip:', 'urn:service:sos'],
    random,
  );
}

/** Whatever an engine does with a message that came. */
function handle(message: SipMessage): void {
  if (message.kind === 'request') {
    validateRequest(message, ABILITIES);
    assert.ok(serializeMessage(responseTo(message, { status: 400, toTag: 't', recordRoute: true })).length > 0);
    handleUri(message.uri);
  } else validateResponse(message);
  for (const { value } of message.headers) handleValue(value);
  address.parseContacts(message.headers.map(({ value }) => value));
  stable(message);
}

/** What was read and may be sent reads the same again. */
function stable(message: SipMessage): void {
  let bytes: Uint8Array;
  try {
    bytes = serializeMessage(message);
  } catch (error) {
    assert.ok(error instanceof SipSerializeError);
    return;
  }
  const again = parseDatagram(bytes);
  assert.equal(again.kind, 'ok', 'a message that was written cannot be read');
  if (again.kind !== 'ok' || message.defect !== undefined || again.value.defect !== undefined) return;
  const own = (each: SipMessage): unknown => each.headers.filter(({ name }) => name !== 'Content-Length');
  assert.deepEqual(own(again.value), own(message));
  assert.deepEqual(again.value.body, message.body);
}

function handleValue(value: string): void {
  const parsed = address.parseAddress(value);
  if (parsed !== undefined) {
    assert.deepEqual(address.parseAddress(address.formatAddress(parsed)), parsed);
    address.tagOf(parsed);
    address.contactExpires(parsed);
    address.contactPreference(parsed);
    handleUri(parsed.uri);
  }
  for (const via of parseViaList([value]) ?? []) assert.deepEqual(parseViaList([formatVia(via)]), [via]);
  parseTopVia([value]);
  digest.parseAuthenticationLine(value);
  digest.parseChallenge(value);
  const authorization = digest.parseAuthorization(value);
  if (authorization !== undefined) {
    assert.deepEqual(digest.parseAuthorization(digest.formatAuthorization(authorization)), authorization);
  }
  parseParameters(value);
  splitCommas(value);
  for (const parse of [
    values.parseCSeq,
    values.parseRAck,
    values.parseNumber,
    values.parseExpires,
    values.parseValue,
    values.mediaType,
    values.parseRetryAfter,
    values.parseSipfragStatus,
  ]) {
    parse(value);
  }
  const expires = values.parseSessionExpires(value);
  if (expires !== undefined)
    assert.deepEqual(values.parseSessionExpires(values.formatSessionExpires(expires)), expires);
  const replaces = values.parseReplaces(value);
  if (replaces !== undefined) assert.deepEqual(values.parseReplaces(values.formatReplaces(replaces)), replaces);
  values.parseReferTo(value);
}

function handleUri(text: string): void {
  const parsed = parseSipUri(text);
  if (parsed === undefined) return;
  const written = formatSipUri(parsed);
  // Escapes make it longer: it may grow beyond what is read.
  if (written.length <= MAX_URI_CHARS) assert.deepEqual(parseSipUri(written), parsed);
  const record = addressOfRecord(parsed);
  if (record.length <= MAX_URI_CHARS) assert.ok(parseSipUri(record) !== undefined);
  assert.ok(sameSipUri(parsed, parsed));
  phoneDigits(parsed);
}

const repetitions = ['', '"', '<sip:', 'sip:a@b', 'Digest ', 'SIP/2.0/UDP h;x="', 'Digest realm="'].flatMap((head) =>
  UNITS.map((unit) => ({
    before: `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nContact: ${head}`,
    unit,
    after: '\r\n\r\n',
  })),
);

export const sipDatagram: FuzzTarget = {
  name: 'sip-datagram',
  covers: '/src/wire/sip/',
  corpus: CORPUS,
  words: WORDS,
  generate,
  repetitions: [
    ...repetitions,
    { unit: '\r\n' },
    ...['a:b\r\n', 'Via: SIP/2.0/UDP h\r\n', 'Require: x,y\r\n', 'l: 1\r\n', ' \r\n', 'a\r\n'].map((unit) => ({
      before: 'OPTIONS sip:a@b SIP/2.0\r\n',
      unit,
      after: '\r\n',
    })),
    ...['sip:a@b?', ' ', '%41', ';a'].map((unit) => ({ before: 'OPTIONS sip:', unit, after: ' SIP/2.0\r\n\r\n' })),
  ],
  maxBytes: 65_000,
  check: (bytes) => {
    const parsed = parseDatagram(bytes);
    if (parsed.kind === 'ok') handle(parsed.value);
  },
};

/** However a stream is cut into chunks, the same messages come out of it, and a pipelined one is not lost. */
export const sipStream: FuzzTarget = {
  name: 'sip-stream',
  // More than a thousand messages fit one input.
  maxMs: 500,
  covers: '/src/wire/sip/',
  corpus: [...CORPUS, lines(SIP_MESSAGES.slice(0, 3).join('\r\n\r\n'))],
  words: WORDS,
  generate: (random) => lines(Array.from({ length: 3 }, () => textOf(generate(random))).join('')),
  repetitions: [
    { unit: '\r\n' },
    { unit: 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n' },
    { before: 'OPTIONS sip:a@b SIP/2.0\r\n', unit: 'a: b\r\n' },
    { before: 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 60000\r\n\r\n', unit: 'x' },
  ],
  maxBytes: 65_000,
  check: (bytes) => {
    const whole = new StreamFramer({ maxBodyBytes: 1000 }).push(bytes);
    const chunked = new StreamFramer({ maxBodyBytes: 1000 });
    const pieces: StreamEvent[] = [];
    const step = 1 + (bytes.length % 97);
    for (let at = 0; at < bytes.length; at += step) pieces.push(...chunked.push(bytes.subarray(at, at + step)));
    // Where a run of empty lines is cut, one ping may become two.
    const messages = (events: readonly StreamEvent[]): unknown =>
      events.filter(({ kind }) => kind !== 'ping' && kind !== 'pong');
    assert.deepEqual(messages(pieces), messages(whole));
    for (const event of whole) if (event.kind === 'message') handle(event.message);
  },
};

/** Header values and URIs by themselves, deeper than a whole message lets them be reached. */
export const sipValues: FuzzTarget = {
  name: 'sip-values',
  covers: '/src/wire/sip/',
  corpus: VALUES.map(bytesOf),
  words: [...VALUES, ...UNITS, 'Digest ', 'sip:', 'tel:', ';tag=', ';expires=', ';q=1.000', '%41', '[2001:db8::1]'],
  repetitions: ['', '"', '<sip:', 'sip:a@b', 'sip:', 'Digest ', 'Digest a="', 'SIP/2.0/UDP h;x="'].flatMap((before) =>
    UNITS.map((unit) => ({ before, unit })),
  ),
  maxBytes: 65_000,
  check: (bytes) => {
    const text = textOf(bytes);
    handleUri(text);
    handleValue(text);
  },
};
