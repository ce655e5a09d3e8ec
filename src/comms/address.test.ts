import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseAddress, parseNumber } from './address.ts';

describe('an address', () => {
  it('a number is normalised to E.164, however it is written', () => {
    for (const [text, number] of [
      ['+15551234567', '+15551234567'],
      ['+1 (555) 123-4567', '+15551234567'],
      ['555.123.4567', '+15551234567'],
      ['15551234567', '+15551234567'],
      // A + that was not percent-encoded in a form.
      [' 491701234567', '+491701234567'],
      ['112', '112'],
      ['100', '100'],
    ] as const) {
      assert.deepEqual(parseAddress(text), { kind: 'number', number }, text);
    }
  });

  it('ten digits get the country code of the place, or are refused', () => {
    assert.equal(parseNumber('5551234567', { countryCode: '49' }), '+495551234567');
    assert.equal(parseNumber('5551234567', { countryCode: '' }), undefined);
  });

  it('SIP addresses and clients are told by their scheme, in any case', () => {
    assert.deepEqual(parseAddress('sip:alice@home.test'), { kind: 'sip', uri: 'sip:alice@home.test' });
    assert.deepEqual(parseAddress('SIPS:bob@home.test:5061;transport=tls'), {
      kind: 'sip',
      uri: 'SIPS:bob@home.test:5061;transport=tls',
    });
    assert.deepEqual(parseAddress('client:jenny'), { kind: 'client', identity: 'jenny' });
  });

  it('what can reach nobody is none', () => {
    const none = [
      '',
      ' ',
      '+',
      '+0123456789',
      '+123456',
      '1',
      '+1234567890123456',
      'alice',
      '555-CALL',
      'sip:',
      'sip:@x',
    ];
    const injected = [
      'sip:a@b\r\nX: y',
      'sip:a b@c',
      'client:',
      'client:a b',
      `sip:${'a'.repeat(300)}@b`,
      'tel:+15551234567',
    ];
    for (const text of [...none, ...injected]) assert.equal(parseAddress(text), undefined, JSON.stringify(text));
  });

  it('what is written again is read the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(\+|sip:|client:)?[\da-z@. -]{1,20}$/)), (text) => {
        const address = parseAddress(text);
        if (address !== undefined) assert.deepEqual(parseAddress(formatAddress(address)), address);
      }),
    );
  });
});
