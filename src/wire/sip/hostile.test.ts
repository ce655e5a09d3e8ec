import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contactExpires, contactPreference, formatAddress, parseAddress, parseContacts, tagOf } from './address.ts';
import { responseTo } from './build.ts';
import { parseAuthenticationLine, parseAuthorization, parseChallenge } from './digest.ts';
import * as values from './header-values.ts';
import type { SipMessage } from './message.ts';
import { parseDatagram } from './parse.ts';
import { ABILITIES, bytesOf, optionsRequest } from './sample.fixture.ts';
import { serializeMessage, SipSerializeError } from './serialize.ts';
import { StreamFramer } from './stream-framer.ts';
import { addressOfRecord, formatSipUri, parseSipUri, sameSipUri } from './uri.ts';
import { validateRequest, validateResponse } from './validate.ts';
import { formatVia, parseViaList } from './via.ts';

const SEEDS = [
  optionsRequest(
    {
      Contact: '"A, \\"b\\"" <sip:a%20b:p@[2001:db8::1]:5060;lr;transport=tcp?Subject=x>;q=0.5;expires=60, <tel:+1-2>',
      Authorization:
        'Digest username="u", realm="r", nonce="n", uri="sip:h", response="ab", qop=auth, nc=00000001, cnonce="c"',
      Require: 'timer',
      Route: '<sip:p1;lr>, <sip:p2;lr>',
      'Content-Length': '4',
    },
    'body',
  ),
  `SIP/2.0 200 OK\n${optionsRequest({ Contact: '*' }).split('\n').slice(1).join('\n')}`,
].map(bytesOf);

/** Everything that an engine does with a message that came. */
function handle(message: SipMessage): void {
  if (message.kind === 'request') {
    validateRequest(message, ABILITIES);
    assert.ok(serializeMessage(responseTo(message, { status: 400, toTag: 't', recordRoute: true })).length > 0);
    handleUri(message.uri);
  } else validateResponse(message);
  for (const { value } of message.headers) handleValue(value);
  parseContacts(message.headers.map(({ value }) => value));
  try {
    serializeMessage(message);
  } catch (error) {
    // Only a Request-URI with blanks may come in and not go out.
    assert.ok(error instanceof SipSerializeError && error.code === 'unsafe-start-line');
  }
}

function handleValue(value: string): void {
  const address = parseAddress(value);
  if (address !== undefined) {
    assert.deepEqual(parseAddress(formatAddress(address)), address);
    tagOf(address);
    contactExpires(address);
    contactPreference(address);
    handleUri(address.uri);
  }
  for (const via of parseViaList([value]) ?? []) assert.deepEqual(parseViaList([formatVia(via)]), [via]);
  parseAuthenticationLine(value);
  parseAuthorization(value);
  parseChallenge(value);
  for (const parse of Object.values(values))
    if (parse.name.startsWith('parse')) (parse as (text: string) => unknown)(value);
  values.mediaType(value);
}

function handleUri(text: string): void {
  const uri = parseSipUri(text);
  if (uri === undefined) return;
  const again = parseSipUri(formatSipUri(uri));
  assert.deepEqual(again, uri);
  assert.ok(parseSipUri(addressOfRecord(uri)) !== undefined);
  sameSipUri(uri, again);
}

function feed(bytes: Uint8Array): void {
  const parsed = parseDatagram(bytes);
  if (parsed.kind === 'ok') handle(parsed.value);
  for (const event of new StreamFramer({ maxBodyBytes: 1000 }).push(bytes))
    if (event.kind === 'message') handle(event.message);
}

test('random bytes never throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), feed), { numRuns: 500 });
});

const SPECIAL = bytesOf('\n \t:;,="<>\\@?&%[]/*\0SIP/2.0');
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  cut: fc.integer({ min: 0, max: 20 }),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.array(fc.constantFrom(...SPECIAL), { maxLength: 4 }).map((bytes) => Uint8Array.from(bytes)),
  ),
});

test('valid messages with bytes changed, cut and added never throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(...SEEDS), fc.array(mutation, { minLength: 1, maxLength: 6 }), (seed, mutations) => {
      let bytes = seed;
      for (const { at, cut, insert } of mutations) {
        const place = Math.floor(at * bytes.length);
        bytes = Uint8Array.from([...bytes.subarray(0, place), ...insert, ...bytes.subarray(place + cut)]);
      }
      feed(bytes);
    }),
    { numRuns: 1500 },
  );
});

test('a message cut off anywhere never throws', () => {
  for (const seed of SEEDS) for (let end = 0; end <= seed.length; end += 1) feed(seed.subarray(0, end));
});

test('header values of any text never throw', () => {
  const piece = fc.constantFrom(
    ...'<>"\\;,=@:?&%*[] /',
    'sip:',
    'a',
    '0',
    '%41',
    'Digest ',
    'SIP/2.0/UDP ',
    ';q=',
    '\u{1f600}',
    '\ud800',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => handleValue(pieces.join(''))),
    { numRuns: 2000 },
  );
});

const LENGTH = 65_000;
const fill = (piece: string): string => piece.repeat(Math.ceil(LENGTH / piece.length)).slice(0, LENGTH);

// A parser that takes quadratic time needs minutes for these; the limit is for the whole run.
test('64 KiB of anything is read in time that grows with its length', { timeout: 30_000 }, () => {
  const pieces = [
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
    '"a" ',
    'a="b",',
    '\n ',
    'SIP/2.0/UDP h,',
    'sip:',
    '0',
    '.',
    '(',
    'é',
  ];
  for (const piece of pieces)
    for (const head of ['', '"', '<sip:', 'sip:a@b', 'Digest ', 'SIP/2.0/UDP h;x="']) {
      const value = fill(piece);
      handleValue(head + value.replaceAll('\n', ''));
      feed(bytesOf(optionsRequest({ Contact: head + value })));
    }
  feed(bytesOf(fill('\n')));
  feed(bytesOf(`OPTIONS ${fill('sip:a@b?')} SIP/2.0\n\n`));
  feed(bytesOf(`OPTIONS sip:a@b SIP/2.0\n${fill('a:b\n')}\n`));
  feed(bytesOf(`OPTIONS sip:a@b SIP/2.0\n${fill('Via: SIP/2.0/UDP h\n')}\n\n`));
  feed(bytesOf(`OPTIONS sip:a@b SIP/2.0\n${fill('Require: x,y\n')}\n\n`));
});
