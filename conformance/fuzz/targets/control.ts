import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { buildApi, type ApiOptions } from '../../../src/api/build-api.ts';
import { CONTROL_PREFIX, registerControlRoutes } from '../../../src/api/control-routes.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { randomInteger, seededRandom } from '../../../src/base/random.ts';
import { parseSid } from '../../../src/base/sid.ts';
import { Place } from '../../../src/comms/place.ts';
import { openTemporaryRecords, type TemporaryRecords } from '../../../src/comms/test/temporary-records.ts';
import type { ResidentPhones } from '../../../src/scripted-phone/resident-phones.ts';
import { scriptedPhonePorts } from '../../../src/server/scripted-phone-ports.ts';
import { bytesOf, textOf, type FuzzTarget } from '../fuzz-target.ts';
import { pick } from '../mutate.ts';

const AUTHORIZATION = 'Basic good';
const BODIES = [
  { name: 'alice', password: 'a-password', number: '+12025550123' },
  { name: 'tester', script: { name: 'menu', text: 'hear press 1\npress 1\nended' } },
  {
    name: 'carrier',
    uri: 'sip:carrier.example:5060',
    username: 'u',
    password: 'p',
    prefixes: ['+1', '112'],
    maxCalls: 3,
  },
  { name: 'line', uri: 'sips:[2001:db8::1];transport=tcp', register: true },
  { name: 7, uri: [], extra: null },
];
/** Values that the door takes, or nearly. */
const NAMES = [
  'alice',
  'a',
  'A-1._+',
  '__proto__',
  'constructor',
  'x'.repeat(64),
  'x'.repeat(65),
  '',
  'é',
  '..',
  '%41',
];
const FIELDS: readonly Readonly<Record<string, readonly unknown[]>>[] = [
  {
    name: NAMES,
    password: ['p', '', 'x'.repeat(128), 'x'.repeat(129), '\0', '\ud800', 7],
    number: ['+12025550123', '2025550123', '112', '+0', '', null],
    script: [
      { name: 's', text: 'hear press 1\npress 1\nended' },
      { name: 's', text: 'press 12#@3s\nended' },
      { name: '', text: '' },
      { name: 's', text: 'no such step' },
      's',
    ],
  },
  {
    name: NAMES,
    uri: [
      'sip:gateway.example',
      'sips:[::1]:5061;transport=tcp',
      'sip:a@b?h=1',
      'tel:1',
      'sip:',
      'sip:%00@h',
      'sip:h:99999',
    ],
    username: ['u', '', '"', 'x'.repeat(129)],
    password: ['p', '\r\n'],
    register: [true, false, 'true'],
    prefixes: [[], [''], ['+1', '112'], ['x'], Array<string>(100).fill('+1'), Array<string>(101).fill('1')],
    maxCalls: [1, 10_000, 0, 10_001, 1.5, '1'],
  },
];
const TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain',
  'application/json; charset=utf-16',
];
/** `NAME` stands for what the input holds. */
const REQUESTS = [
  ['POST', '/phones'],
  ['POST', '/trunks'],
  ['DELETE', '/phones/NAME'],
  ['DELETE', '/trunks/NAME'],
  ['GET', '/phones/NAME/results'],
  ['POST', '/phones/NAME/run'],
  ['GET', '/logs?lines=NAME'],
  ['GET', '/NAME'],
  ['GET', '/calls/NAME/trace'],
] as const;
const MAX_NAME_CHARS = 2000;
const MAX_ANSWER_CHARS = 100_000;

interface Door {
  readonly app: FastifyInstance;
  readonly place: Place;
  readonly temporary: TemporaryRecords;
}

let door: Promise<Door> | undefined;

async function openDoor(): Promise<Door> {
  const ports = { clock: systemClock, random: seededRandom(1) };
  const temporary = await openTemporaryRecords(ports);
  const { records, store } = temporary;
  const account = await records.accounts.create({ friendlyName: 'Main' });
  const place = await Place.open({ ...ports, records, store }, account);
  // The routes of calls and recordings are another target's.
  const parts = { records, calls: {}, sounds: {}, clock: systemClock, logger: silentLogger, publicUrl: 'http://here' };
  const app = buildApi(parts as unknown as ApiOptions);
  const residents = { add: async () => undefined, remove: async () => undefined, results: () => undefined };
  const phones = scriptedPhonePorts(
    { place, residents: residents as unknown as ResidentPhones },
    async (phone) => phone,
  );
  registerControlRoutes(app, {
    clock: systemClock,
    authorize: async ({ header }) => header === AUTHORIZATION,
    status: async () => ({}),
    limits: async () => ({}),
    heldBack: () => [],
    free: () => [],
    stop: () => undefined,
    phones: () => records.phones.list(),
    ...phones,
    runPhone: async (name) => ({ call: name.length }),
    trust: async () => ({ names: [], endsAt: 0, vendorHosts: [] }),
    trace: (sid) => Promise.resolve(parseSid('CA', sid) === undefined ? undefined : {}),
    trunks: () => records.trunks.list(),
    addTrunk: (trunk) => place.addTrunk(trunk),
    removeTrunk: (name) => place.removeTrunk(name),
    logLines: (count) => Array.from({ length: Math.min(count, 3) }, (_, index) => `{"n":${index}}`),
    followLogs: () => ({ stop: () => undefined }),
  });
  await app.ready();
  return { app, place, temporary };
}

/**
 * Whole requests to the door of the `tandem` command, over the place's own rows: every answer is JSON of the door's own, what is
 * accepted is there under its name and can be taken away again, and no prototype is touched.
 */
export const controlDoor: FuzzTarget = {
  name: 'control',
  corpus: [
    ...BODIES.flatMap((body) => ['\0', '\u0001'].map((route) => bytesOf(`${route}\0${JSON.stringify(body)}`))),
    ...REQUESTS.map((_, route) => bytesOf(`${String.fromCharCode(route)}\0alice`)),
  ],
  generate: (random) => {
    const route = randomInteger(random, 0, 1);
    const fields = Object.entries(FIELDS[route] ?? {}).filter(
      ([key]) => key === 'name' || randomInteger(random, 0, 2) === 0,
    );
    const body = Object.fromEntries(fields.map(([key, values]) => [key, pick<unknown>(values, random)]));
    return bytesOf(`${String.fromCharCode(route)}\0${JSON.stringify(body)}`);
  },
  words: [
    ...['"name":', '"password":', '"number":', '"script":{', '"text":', '"uri":"sip:', '"prefixes":[', '"maxCalls":'],
    ...[
      '"register":true',
      '"__proto__":{"polluted":1}',
      '"constructor":',
      'null',
      '1e999',
      '"\\ud800"',
      '\\u0000',
      '..',
    ],
    ...['%2e%2e%2f', '%00', '[[', '}}', '""', ',', '[::1]', ';maddr=', '?a=b', '\u0002', '\u0003'],
  ],
  repetitions: [
    ...['[', '{"a":', '0', '"', '\\', ' '].map((unit) => ({ before: '\0\0', unit })),
    { before: '\0\0{"name":"', unit: 'a', after: '"}' },
    { before: '\0\0{"name":"a","script":{"name":"s","text":"', unit: 'press 1\\n', after: '"}}' },
    { before: '\0\0{"name":"a","script":{"name":"s","text":"', unit: '(', after: '"}}' },
    { before: '\u0001\0{"name":"a","uri":"sip:a","prefixes":["', unit: '1', after: 'x"]}' },
    { before: '\u0001\0{"name":"a","uri":"sip:', unit: ';a', after: '"}' },
    { before: '\0\0{"k":1,', unit: '"k":1,', after: '"k":1}' },
  ],
  maxBytes: 70_000,
  maxMs: 1000,
  check: async (bytes) => {
    door ??= openDoor();
    const { app, place, temporary } = await door;
    const [method, path] = REQUESTS[(bytes[0] ?? 0) % REQUESTS.length] ?? REQUESTS[0];
    const payload = Buffer.from(bytes.subarray(2));
    // As a client may write it: escapes that are none go through as they are.
    const name = textOf(payload)
      .slice(0, MAX_NAME_CHARS)
      .replaceAll(/[^!-~]|#/g, '%20');
    const response = await app.inject({
      ...{ method, url: CONTROL_PREFIX + path.replace('NAME', () => name) },
      headers: { authorization: AUTHORIZATION, 'content-type': TYPES[(bytes[1] ?? 0) % TYPES.length] ?? '' },
      ...(method === 'POST' && { payload }),
    });
    const { statusCode, body } = response;
    assert.ok(statusCode < 500, `${statusCode} ${body.slice(0, 300)}`);
    assert.ok(body.length <= MAX_ANSWER_CHARS, `an answer of ${body.length} characters`);
    for (const line of body.split('\n')) if (line !== '') JSON.parse(line);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    if (statusCode !== 201) return;
    const made = JSON.parse(body) as { readonly name: string };
    const { phones, trunks } = temporary.records;
    if (path === '/phones') {
      assert.equal((await phones.byName(made.name))?.name, made.name);
      await place.removePhone(made.name);
    } else {
      assert.equal((await trunks.byName(made.name))?.name, made.name);
      await place.removeTrunk(made.name);
    }
  },
  close: async () => {
    const opened = await door;
    door = undefined;
    await opened?.app.close();
    await opened?.temporary.close();
  },
};
