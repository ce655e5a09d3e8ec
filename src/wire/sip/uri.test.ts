import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOfRecord, formatSipUri, parseSipUri, phoneDigits, sameSipUri, uriScheme, type SipUri } from './uri.ts';

function uri(text: string): SipUri {
  return parseSipUri(text) ?? assert.fail(`not read: ${text}`);
}

test('reads every part of a URI', () => {
  assert.deepEqual(uri('SIPS:al%69ce:pa%3ass@Example.COM:5071;Transport=TCP;lr;x=%41?Subject=a%20b&to=c'), {
    scheme: 'sips',
    user: 'alice',
    password: 'pa:ss',
    host: 'example.com',
    port: 5071,
    parameters: [{ name: 'transport', value: 'TCP' }, { name: 'lr' }, { name: 'x', value: 'A' }],
    headers: [
      { name: 'Subject', value: 'a b' },
      { name: 'to', value: 'c' },
    ],
  });
});

test('reads what telephones dial', () => {
  assert.equal(uri('sip:*9#@pbx').user, '*9#');
  assert.equal(uri('sip:+15551234;ext=3@h').user, '+15551234;ext=3');
  assert.equal(uri('sip:192.0.2.1:5060').user, undefined);
  assert.equal(uri('sip:a@my_container').host, 'my_container');
});

test('refuses what is no URI', () => {
  for (const text of [
    '',
    'sip:',
    'sip:@h',
    'sip:a@',
    'sip:a@h:',
    'sip:a@h:x',
    'sip:a@h:65536',
    'sip:a@h;',
    'sip:a@h;=1',
    'sip:a@h?',
    'sip:a%4@h',
    'sip:a%zz@h',
    'sip:a b@h',
    '<sip:a@h>',
    'sip:a@b@c',
    'sip:a@h x',
    'sip',
    'http://h',
    'sip:a@h h',
    'sip:a\r\n@h',
    'tel:',
    'tel:abc-xyz',
  ])
    assert.equal(parseSipUri(text), undefined, text);
});

test('reads tel: URIs', () => {
  assert.deepEqual(uri('tel:+1-201-555-0123;ext=1'), {
    ...{ scheme: 'tel', user: '+1-201-555-0123', host: '', headers: [] },
    parameters: [{ name: 'ext', value: '1' }],
  });
  assert.equal(phoneDigits(uri('tel:+1-(201).555-0123')), '+12015550123');
  assert.equal(formatSipUri(uri('TEL:7042;phone-context=example.com')), 'tel:7042;phone-context=example.com');
});

test('names the scheme of any URI', () => {
  assert.equal(uriScheme('Soap.Beep://x'), 'soap.beep');
  assert.equal(uriScheme('<sip:a@b>'), undefined);
  assert.equal(uriScheme('no scheme'), undefined);
});

// The examples of RFC 3261 19.1.4.
const EQUAL: readonly (readonly [string, string])[] = [
  ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
  ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
  [
    'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
    'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
  ],
  [
    'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
    'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
  ],
  ['tel:+1-201-555-0123', 'tel:+12015550123'],
];
const UNEQUAL: readonly (readonly [string, string])[] = [
  ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
  ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
  ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
  ['sip:bob@biloxi.com', 'sips:bob@biloxi.com'],
  ['sip:bob@biloxi.com', 'sip:biloxi.com'],
  ['sip:bob@biloxi.com;user=phone', 'sip:bob@biloxi.com'],
  ['sip:bob:a@biloxi.com', 'sip:bob@biloxi.com'],
  ['tel:911;phone-context=a', 'tel:911'],
];

for (const [a, b] of EQUAL)
  test(`${a} is ${b}`, () => {
    assert.ok(sameSipUri(uri(a), uri(b)) && sameSipUri(uri(b), uri(a)));
  });
for (const [a, b] of UNEQUAL)
  test(`${a} is not ${b}`, () => {
    assert.ok(!sameSipUri(uri(a), uri(b)) && !sameSipUri(uri(b), uri(a)));
  });

test('an address of record has no parameters, headers and password, and one spelling', () => {
  assert.equal(addressOfRecord(uri('sip:%61lice:pw@Example.com;transport=tcp?x=y')), 'sip:alice@example.com');
  assert.equal(addressOfRecord(uri('sip:alice@example.com:5070')), 'sip:alice@example.com:5070');
});

test('escapes of another character set leave as they came', () => {
  assert.equal(formatSipUri(uri('sip:caf%E9%00@h')), 'sip:caf%E9%00@h');
});

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((each) => each.isWellFormed());
const pair = fc.oneof(
  fc.record({ name: text, value: text }, { noNullPrototype: true }),
  fc.record({ name: text }, { noNullPrototype: true }),
);
const lowerPair = pair.map((each) => ({ ...each, name: each.name.toLowerCase() }));
const anyUri = fc
  .record(
    {
      scheme: fc.constantFrom('sip' as const, 'sips' as const),
      user: text,
      password: text,
      host: fc.constantFrom('h', 'a-b.example.com', '192.0.2.1', '2001:db8::1'),
      port: fc.integer({ min: 0, max: 65_535 }),
      parameters: fc.array(lowerPair, { maxLength: 4 }),
      headers: fc.array(fc.record({ name: text, value: text }, { noNullPrototype: true }), { maxLength: 3 }),
    },
    { noNullPrototype: true, requiredKeys: ['scheme', 'user', 'host', 'parameters', 'headers'] },
  )
  // toLowerCase may change again what it changed once (İ); such names do not come from the parser.
  .filter((each) => each.parameters.every(({ name }) => name === name.toLowerCase()));

test('what is written is read again as it was, whatever characters are in it', () => {
  fc.assert(
    fc.property(anyUri, (original) => {
      const written = formatSipUri(original);
      assert.deepEqual(parseSipUri(written), original, written);
      assert.ok(
        sameSipUri(original, uri(written)) ||
          new Set(original.parameters.map(({ name }) => name)).size < original.parameters.length,
      );
    }),
  );
});

test('a URI in which a parameter stands twice is the same as itself', () => {
  const uri = parseSipUri('sip:a@b;x=1;x=2;transport=tcp;transport=udp') ?? assert.fail('not read');
  assert.ok(sameSipUri(uri, uri));
  const other = parseSipUri('sip:a@b;x=2;x=1;transport=tcp') ?? assert.fail('not read');
  assert.equal(sameSipUri(uri, other), false);
});

test('a header of a URI without a value has an empty one, and reads the same when it was written', () => {
  const uri = parseSipUri('sip:a@b?Re&ces=a%3Bto') ?? assert.fail('not read');
  assert.deepEqual(uri.headers, [
    { name: 'Re', value: '' },
    { name: 'ces', value: 'a;to' },
  ]);
  assert.deepEqual(parseSipUri(formatSipUri(uri)), uri);
});

test('an escape that is not UTF-8 leaves the characters beside it as they are', () => {
  // Raw U+FFFD, then a byte that begins no character.
  const uri = parseSipUri('sip:\ufffd%ac%c3%a9%f1@b') ?? assert.fail('not read');
  assert.equal(uri.user, '\ufffd\udcac\u00e9\udcf1');
  assert.deepEqual(parseSipUri(formatSipUri(uri)), uri);
});
