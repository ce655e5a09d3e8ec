import assert from 'node:assert/strict';
import { randomInteger } from '../../../src/base/random.ts';
import { ApiUnderTest } from '../../../src/api/test/api-under-test.ts';
import { bytesOf, textOf, type FuzzTarget } from '../fuzz-target.ts';
import { form, FORMS, FORM_WORDS } from './form.ts';

const PATHS = [
  ...[
    '/Calls.json',
    '/IncomingPhoneNumbers.json',
    '/Applications.json',
    '/SIP/Domains.json',
    '/SIP/CredentialLists.json',
  ],
  ...[
    '/Keys.json',
    '/Recordings.json',
    '/Notifications.json',
    '.json',
    '/Calls/CA00000000000000000000000000000000.json',
  ],
];
const TYPES = [
  'application/x-www-form-urlencoded',
  'application/json',
  'text/plain',
  'multipart/form-data; boundary=x',
  ';;',
  '',
];

let api: Promise<ApiUnderTest> | undefined;

/** Whole requests to the REST API over its store: every answer is one of the API's own, none is a failure of the server. */
export const apiDoor: FuzzTarget = {
  name: 'api',
  corpus: [...FORMS, '{"To":"+12025550101"}', '{"a":[[[[]]]]}'].map((text) => bytesOf(`\0\0${text}`)),
  words: FORM_WORDS,
  generate: (random) =>
    Uint8Array.from([randomInteger(random, 0, 255), randomInteger(random, 0, 255), ...form(random)]),
  repetitions: ['&', 'a=b&', 'StatusCallbackEvent=x&', '%41', '[', '{"a":'].map((unit) => ({ before: '\0\0', unit })),
  maxBytes: 70_000,
  maxMs: 1000,
  check: async (bytes) => {
    api ??= ApiUnderTest.open();
    const { get } = { get: (await api).get.bind(await api) };
    const [path, type] = [PATHS[(bytes[0] ?? 0) % PATHS.length] ?? '', TYPES[(bytes[1] ?? 0) % TYPES.length] ?? ''];
    const body = bytes.slice(2);
    // Requests that read take the fields as their query.
    const reads = (bytes[1] ?? 0) >= 128;
    const query = reads
      ? `?${textOf(body)
          .slice(0, 4000)
          .replaceAll(/[^!-~]/g, '%20')}`
      : '';
    const response = await get(
      path + query,
      reads ? {} : { method: 'POST', body, ...(type === '' ? {} : { headers: { 'content-type': type } }) },
    );
    const answer = await response.text();
    assert.ok(response.status < 500, `${response.status} ${answer.slice(0, 300)}`);
    JSON.parse(answer);
  },
  close: async () => {
    await (await api)?.close();
    api = undefined;
  },
};
