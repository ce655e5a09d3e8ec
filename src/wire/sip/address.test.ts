import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  contactExpires,
  contactPreference,
  formatAddress,
  parseAddress,
  parseAddressList,
  parseContacts,
  tagOf,
} from './address.ts';
import { parameter, splitCommas, tokenList, withoutParameter, withParameter } from './parameters.ts';

test('reads the forms of an address', () => {
  assert.deepEqual(parseAddress('"A \\"B\\" \\\\" <sip:a@b;x=1>;tag=t;flag'), {
    displayName: 'A "B" \\',
    uri: 'sip:a@b;x=1',
    parameters: [{ name: 'tag', value: 't' }, { name: 'flag' }],
  });
  assert.deepEqual(parseAddress('Al Ice<sip:a@b>'), { displayName: 'Al Ice', uri: 'sip:a@b', parameters: [] });
  assert.deepEqual(parseAddress('sip:a@b;tag=t'), { uri: 'sip:a@b', parameters: [{ name: 'tag', value: 't' }] });
  assert.deepEqual(parseAddress('"" <sip:a@b>'), { uri: 'sip:a@b', parameters: [] });
  assert.equal(parseAddress('Zoë 100@pbx (home) <sip:a@b>')?.displayName, 'Zoë 100@pbx (home)');
  assert.equal(parseAddress('<tel:+1555>')?.uri, 'tel:+1555');
});

test('separates quoted parameter values from the address', () => {
  const contact = parseAddress('<sip:a@b>;+sip.instance="<urn:uuid:0-1>";q=0.5') ?? assert.fail('not read');
  assert.equal(parameter(contact.parameters, '+sip.instance'), '<urn:uuid:0-1>');
  const bare = parseAddress('sip:a@b;+sip.instance="<urn:uuid:0-1>"') ?? assert.fail('not read');
  assert.equal(parameter(bare.parameters, '+sip.instance'), '<urn:uuid:0-1>');
});

test('refuses what is no address', () => {
  for (const text of [
    '',
    'a',
    '"a" sip:a@b',
    '"a <sip:a@b>',
    '<sip:a@b',
    'sip:a@b>',
    '< sip:a@b >',
    'a, b <sip:a@b>',
    'sip:a@b?x=y',
    'sip:a@b, sip:c@d',
    '<sip:a@b>;',
    '<sip:a@b>;;x',
    '<sip:a@b> x',
    '<sip:a@b>;x=',
    '<>',
    '"a""b" <sip:a@b>',
    '<sip:a b@c>',
  ])
    assert.equal(parseAddress(text), undefined, text);
});

test('refuses a parameter that comes twice', () => {
  assert.equal(parseAddress('<sip:a@b>;tag=1;TAG=2'), undefined);
});

test('splits lists at commas, not inside quotes and brackets', () => {
  assert.deepEqual(splitCommas('"a, \\", b" <sip:a,b@c?x=1,2>;q=1 , <sip:d@e>'), [
    '"a, \\", b" <sip:a,b@c?x=1,2>;q=1',
    '<sip:d@e>',
  ]);
  const list = parseAddressList(['<sip:a@b;lr>, <sip:c@d;lr>', '<sip:e@f>']);
  assert.deepEqual(
    list?.map(({ uri }) => uri),
    ['sip:a@b;lr', 'sip:c@d;lr', 'sip:e@f'],
  );
  assert.equal(parseAddressList(['<sip:a@b>,,<sip:c@d>']), undefined);
  assert.deepEqual(tokenList(['a, b', '', 'c ,']), ['a', 'b', 'c']);
});

test('takes * for a Contact only when it stands alone', () => {
  assert.equal(parseContacts([' * ']), '*');
  assert.equal(parseContacts(['*', '<sip:a@b>']), undefined);
  assert.equal(parseContacts(['*, <sip:a@b>']), undefined);
});

test('reads preference and expiry of a contact', () => {
  const contact = (text: string): Parameters<typeof contactExpires>[0] =>
    parseAddress(`<sip:a@b>${text}`) ?? assert.fail(text);
  assert.deepEqual(
    [';q=0.7', ';q=1.000', ';q=0', '', ';q=2', ';q=-1', ';q=0.1234'].map((text) => contactPreference(contact(text))),
    [0.7, 1, 0, 1, undefined, undefined, undefined],
  );
  assert.deepEqual(
    [';expires=60', '', ';expires=abc', ';expires=99999999999'].map((text) => contactExpires(contact(text))),
    [60, undefined, 3600, 4_294_967_295],
  );
});

test('edits parameters', () => {
  const parameters = [{ name: 'a', value: '1' }, { name: 'b' }];
  assert.deepEqual(withParameter(parameters, 'a', '2'), [{ name: 'a', value: '2' }, { name: 'b' }]);
  assert.deepEqual(withParameter(parameters, 'c'), [...parameters, { name: 'c' }]);
  assert.deepEqual(withoutParameter(parameters, 'a'), [{ name: 'b' }]);
  assert.equal(parameter(parameters, 'b'), '');
});

test('takes an empty tag for none', () => {
  assert.equal(tagOf(parseAddress('<sip:a@b>;tag') ?? assert.fail('not read')), undefined);
});

const visible = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const address = fc.record(
  {
    displayName: visible,
    uri: fc.constantFrom('sip:a@b', 'sip:a,b@c;x=1?y=2', 'tel:+1', 'urn:service:sos'),
    parameters: fc.uniqueArray(
      fc.record({ name: fc.stringMatching(/^[a-z0-9.+-]{1,8}$/), value: visible }, { noNullPrototype: true }),
      {
        maxLength: 4,
        selector: ({ name }) => name,
      },
    ),
  },
  { noNullPrototype: true },
);

test('what is written is read again as it was, whatever characters are in it', () => {
  fc.assert(
    fc.property(address, (original) => {
      const written = formatAddress(original);
      assert.deepEqual(parseAddress(written), original, written);
      assert.deepEqual(parseAddressList([`${written}, ${written}`]), [original, original]);
    }),
  );
});
