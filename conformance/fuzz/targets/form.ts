import assert from 'node:assert/strict';
import { randomInteger, type Random } from '../../../src/base/random.ts';
import { ApiError } from '../../../src/api/api-error.ts';
import { parseParameters } from '../../../src/api/parameters.ts';
import { bytesOf, textOf, type FuzzTarget } from '../fuzz-target.ts';
import { pick } from '../mutate.ts';

export const FORMS = [
  'To=%2B12025550101&From=%2B12025550100&Url=http%3A%2F%2Fapp.example%2Fvoice&StatusCallbackEvent=initiated&StatusCallbackEvent=answered',
  'To=sip%3Abob%40home.tandem&From=bob&Twiml=%3CResponse%2F%3E&Timeout=5&Record=true&SendDigits=ww1',
  'PhoneNumber=%2B12025550177&VoiceUrl=&VoiceMethod=GET&FriendlyName=caf%C3%A9',
  'Status=completed&FriendlyName=+a+b&&=x&a==b&__proto__=1&constructor=2',
];
const FIELDS = [
  ...[
    'To',
    'From',
    'Url',
    'Twiml',
    'Method',
    'Timeout',
    'Record',
    'StatusCallback',
    'StatusCallbackEvent',
    'FriendlyName',
  ],
  ...[
    'PhoneNumber',
    'AreaCode',
    'VoiceUrl',
    'Status',
    'DomainName',
    'Username',
    'Password',
    'IpAddress',
    'PageSize',
    '__proto__',
  ],
];
const VALUES = [
  '%2B12025550101',
  '',
  '%00',
  '%zz',
  '%C3%28',
  '-1',
  '1e9',
  'true',
  'http%3A%2F%2Fh',
  'javascript%3A1',
  'GET',
  '%F0%9F%98%80',
  'a'.repeat(2000),
];

export function form(random: Random): Uint8Array {
  const fields = Array.from(
    { length: randomInteger(random, 0, 12) },
    () => `${pick(FIELDS, random)}=${pick(VALUES, random)}`,
  );
  return bytesOf(fields.join('&'));
}

export const FORM_WORDS = [...FIELDS.map((name) => `&${name}=`), ...VALUES, '%', '+', '&', '=', '%E0%80', '\0'];

export const formFields: FuzzTarget = {
  name: 'form',
  covers: '/src/api/',
  corpus: FORMS.map(bytesOf),
  words: FORM_WORDS,
  generate: form,
  repetitions: ['&', '=', '%', '%41', 'a=b&', 'a&', '+', 'a', '%E0', '\0'].map((unit) => ({ unit })),
  maxBytes: 100_000,
  check: (bytes) => {
    const text = textOf(bytes);
    let parameters;
    try {
      parameters = parseParameters(text);
    } catch (error) {
      assert.ok(error instanceof ApiError && error.status === 400, error as Error);
      return;
    }
    // The platform's own reader says the same of everything that is accepted.
    const known = new URLSearchParams(`&${text}`);
    for (const name of parameters.names()) {
      if (name.startsWith('\ufeff')) continue;
      assert.deepEqual(known.getAll(name).slice(0, 1), [parameters.text(name, { maxChars: bytes.length })], name);
    }
  },
};
