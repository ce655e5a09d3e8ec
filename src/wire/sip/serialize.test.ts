import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withHeader } from './build.ts';
import { canonicalHeaderName, type SipMessage } from './message.ts';
import { parseDatagram } from './parse.ts';
import { requestOf, optionsRequest } from './sample.fixture.ts';
import { serializeMessage, SipSerializeError } from './serialize.ts';

const TOKEN_CHARS = [..."ABCxyz019-.!%*_+`'~"];
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARS), minLength: 1, maxLength: 12 });
const word = fc
  .string({ unit: 'binary', maxLength: 40 })
  .map((text) => text.replaceAll(/[\r\n]/g, '').replaceAll(/^[ \t]+|[ \t]+$/g, ''))
  .filter((text) => text.isWellFormed());
const header = fc
  .record({ name: token.map((name) => canonicalHeaderName(name) ?? name), value: word }, { noNullPrototype: true })
  .filter(({ name }) => name !== 'Content-Length');
const common = {
  version: fc.constant('SIP/2.0'),
  headers: fc.array(header, { maxLength: 12 }),
  body: fc.uint8Array({ maxLength: 64 }),
};
const message: fc.Arbitrary<SipMessage> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('request' as const),
      method: token,
      uri: fc.webUrl().filter((uri) => !uri.includes(' ')),
      ...common,
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      kind: fc.constant('response' as const),
      status: fc.integer({ min: 100, max: 699 }),
      reason: word,
      ...common,
    },
    { noNullPrototype: true },
  ),
);

test('what is written is read again as it was, with the true Content-Length', () => {
  fc.assert(
    fc.property(message, (original) => {
      const parsed = parseDatagram(serializeMessage(original));
      assert.ok(parsed.kind === 'ok');
      const length = { name: 'Content-Length', value: String(original.body.length) };
      assert.deepEqual(parsed.value, { ...original, headers: [...original.headers, length] });
    }),
  );
});

test('overrules a wrong Content-Length', () => {
  const request = requestOf(optionsRequest({}, 'hello'));
  const text = new TextDecoder().decode(serializeMessage(withHeader(request, 'Content-Length', '77')));
  assert.match(text, /\r\nContent-Length: 5\r\n\r\nhello$/);
  assert.equal(text.includes('77'), false);
});

test('refuses a line break anywhere: content cannot write headers', () => {
  const request = requestOf(optionsRequest());
  const attacks: readonly SipMessage[] = [
    withHeader(request, 'Subject', 'a\r\nTo: b'),
    withHeader(request, 'Subject', 'a\nTo: b'),
    withHeader(request, 'Subject', 'a\rTo: b'),
    withHeader(request, 'X\r\nTo', 'b'),
    withHeader(request, 'X:', 'b'),
    { ...request, uri: 'sip:a@b SIP/2.0\r\nTo: x' },
    { ...request, uri: '' },
    { ...request, method: 'A B' },
    { kind: 'response', version: 'SIP/2.0', status: 200, reason: 'OK\r\nTo: x', headers: [], body: request.body },
  ];
  for (const attack of attacks) assert.throws(() => serializeMessage(attack), SipSerializeError);
});

test('a message that was written stays as it is while others are written', () => {
  const kept = Array.from({ length: 200 }, (_, index) =>
    serializeMessage(requestOf(optionsRequest({ Subject: `number ${index} ${'x'.repeat(1 + index * 20)}` }))),
  );
  for (const [index, bytes] of kept.entries())
    assert.match(
      new TextDecoder().decode(bytes),
      new RegExp(`^OPTIONS [^]*\\r\\nSubject: number ${index} x{${1 + index * 20}}\\r\\n[^]*\\r\\n\\r\\n$`),
    );
});
