import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { configComplaint } from './config-complaint.ts';
import { CONFIG_DEFAULTS } from './config.ts';
import { loadConfig } from './load-config.ts';

const SECRET = 'geheim-4711';

const complaint = (changes: object): string => configComplaint({ ...CONFIG_DEFAULTS, data: '/nowhere', ...changes });

test('an unknown key is named with those that are known there, at each level', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ htttp: 1 }, /^the configuration: "htttp" is not a known key; did you mean "http"\?$/],
    [{ colour: 1 }, /^the configuration: "colour" is not a known key; known keys: data, http, /],
    [
      { phones: [{ name: 'a', password: 'b', pin: 1 }] },
      /^phones\.0: "pin" .*known keys: name, password, number, script$/,
    ],
    [{ numbers: [{ phoneNumber: '+12025550100', url: 1 }] }, /^numbers\.0: "url" .*known keys: phoneNumber, /],
    [{ applications: [{ friendlyName: 'a', x: 1 }] }, /^applications\.0: "x" .*known keys: friendlyName, voiceUrl/],
    [{ trunks: [{ name: 'a', uri: 'sip:b', x: 1 }] }, /^trunks\.0: "x" .*known keys: name, uri, username/],
    [JSON.parse('{"__proto__": {"lan": true}}') as object, /^the configuration: "__proto__"/],
  ];
  for (const [changes, expected] of cases) assert.match(complaint(changes), expected);
});

test('a value says where it stands, what it is and what it must be', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ drain: 'soon' }, 'drain: got "soon"; it must be number'],
    [{ drain: -1 }, 'drain: got -1; it must be >= 0'],
    [{ callsPerSecond: NaN }, 'callsPerSecond: got NaN; it must be number'],
    [{ logLevel: 'loud' }, 'logLevel: got "loud"; it must be "debug" or "info" or "warn" or "error" or "silent"'],
    [{ phones: {} }, 'phones: got an object; it must be array'],
    [{ rtp: [1] }, 'rtp: got a list; it must be string'],
    [{ lan: null }, 'lan: got null; it must be boolean'],
    [{ callsPerSecondFrom: { 'a/b~c': 'x' } }, 'callsPerSecondFrom.a/b~c: got "x"; it must be number'],
    [{ phones: [{ number: '+12025550123' }] }, 'phones.0: got an object; it must have required properties name'],
    [
      { numbers: [{ phoneNumber: '1' }] },
      'numbers.0.phoneNumber: got "1"; it must match pattern "^\\+[1-9][0-9]{6,14}$"',
    ],
  ];
  for (const [changes, expected] of cases) assert.equal(complaint(changes), expected);
});

test('long and unprintable values are made fit for a terminal', () => {
  const text = complaint({ drain: `\u001b[2J${'x'.repeat(1000)}` });
  assert.match(text, /^drain: got "\\u001b\[2Jx+…"; it must be number$/);
  assert.ok(text.length < 150, text);
});

test('secrets are never repeated, wherever they stand by mistake', () => {
  const mistakes: readonly object[] = [
    { authToken: SECRET },
    { postgresql: `mysql://user:${SECRET}@host/database` },
    { phones: [{ name: 'a', password: [SECRET] }] },
    { phones: [{ name: 'a', passwort: SECRET }] },
    { phones: [{ password: SECRET }] },
    { phones: { name: 'a', password: SECRET } },
    { phones: [SECRET] },
    { phones: `[{"password": "${SECRET}"` },
    { trunks: [{ name: 'a', uri: 'sip:b', password: SECRET.repeat(20) }] },
  ];
  for (const changes of mistakes) {
    const text = complaint(changes);
    assert.doesNotMatch(text, new RegExp(SECRET), text);
  }
});

test('secrets are never repeated from a file that is not JSON', async (t: TestContext) => {
  const path = join(temporaryFolder(t, 'config'), 'tandem.json');
  const texts = [
    `{"phones": [{"name": "a", "password": ${SECRET}}]}`,
    `{"authToken": "${SECRET}" "drain": 1}`,
    `{"authToken": "${SECRET}", nonsense}`,
    `{"authToken": "${SECRET}`,
    SECRET,
  ];
  for (const text of texts) {
    writeFileSync(path, text);
    await assert.rejects(loadConfig({ flags: {}, environment: {}, file: path }), (error: Error) => {
      assert.match(error.message, /tandem\.json is not JSON: ./);
      assert.doesNotMatch(String(error.stack) + String(error.cause), new RegExp(SECRET));
      return true;
    });
  }
});

test('a file without an end is refused at the limit', async () => {
  const refused = loadConfig({ flags: {}, environment: {}, file: '/dev/zero' });
  await assert.rejects(refused, /\/dev\/zero: want at most 1048576 bytes/);
});
