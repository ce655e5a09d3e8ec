import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import twilio from 'twilio';
import { signRequest, withBodyHash } from './signature.ts';

const TOKEN = '12345';

suite('X-Twilio-Signature', () => {
  test('matches the published form vector', () => {
    const parameters = {
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675309',
      Digits: '1234',
      From: '+14158675309',
      To: '+18005551212',
    };
    const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
    assert.equal(signRequest(TOKEN, url, parameters), 'RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  });

  test('sorts and de-duplicates repeated values', () => {
    const signature = signRequest(TOKEN, 'https://example.com/p?a=b', { B: '2', A: ['z', 'a', 'a'] });
    assert.equal(signature, '6TxaOwvMhx5qTCkuRmOPYGILt8o=');
  });

  test('the vendor SDK accepts every form that is signed, and no other', () => {
    const parameters = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(parameters, fc.webUrl({ withQueryParameters: true }), (form, url) => {
        const signature = signRequest(TOKEN, url, form);
        assert.ok(twilio.validateRequest(TOKEN, signature, url, form));
        assert.ok(!twilio.validateRequest(TOKEN, signature, url, { ...form, Digits: 'forged' }));
        assert.ok(!twilio.validateRequest('another', signature, url, form));
      }),
      { numRuns: 100 },
    );
  });

  test('the vendor SDK accepts a JSON body', () => {
    const body = '{"a":"b\u00e9"}';
    const url = withBodyHash('http://127.0.0.1:3000/events?x=1', body);
    assert.ok(twilio.validateRequestWithBody(TOKEN, signRequest(TOKEN, url), url, body));
    assert.ok(!twilio.validateRequestWithBody(TOKEN, signRequest(TOKEN, url), url, '{}'));
  });

  test('leaves out what the receiver does not see', () => {
    assert.equal(signRequest(TOKEN, 'http://me:secret@host/a#rc=2'), signRequest(TOKEN, 'http://host/a'));
  });
});
