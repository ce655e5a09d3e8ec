import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../src/server/load-config.ts';
import { bytesOf, type FuzzTarget } from '../fuzz-target.ts';

const CONFIGS = [
  {
    http: '127.0.0.1:3600',
    sip: '0.0.0.0:5060',
    rtp: '20000-29999',
    callsPerSecond: 5,
    callsPerSecondFrom: { '+12025550101': 2 },
    phones: [{ name: 'alice', password: 'secret', number: '+12025550102' }],
    numbers: [{ phoneNumber: '+12025550142', voiceUrl: 'http://127.0.0.1/voice', voiceMethod: 'POST' }],
    trunks: [
      {
        name: 'carrier',
        uri: 'sip:carrier.example',
        username: 'u',
        password: 'secret',
        prefixes: ['+1', ''],
        maxCalls: 3,
      },
    ],
    webhookAllow: ['any'],
    logLevel: 'info',
  },
  {},
  { phones: [{}], numbers: [null], logLevel: 7, unknown: 1 },
];
const FILE = join(tmpdir(), `tandem-fuzz-${process.pid}.json`);
const MAX_COMPLAINT_CHARS = 4000;

export const configuration: FuzzTarget = {
  name: 'config',
  covers: '/src/server/',
  corpus: CONFIGS.map((config) => bytesOf(JSON.stringify(config))),
  words: [
    ...[
      '"http":',
      '"phones":',
      '[{',
      '}]',
      '"secret"',
      'null',
      'true',
      '-1',
      '1e999',
      '"__proto__":',
      '"/":',
      '"~":',
      '[]',
      '{}',
      ',',
    ],
    ...['"password":', '"name":', '"prefixes":["', '"logLevel":"debug"', '"callsPerSecondFrom":'],
  ],
  repetitions: [
    ...['[', '{"a":', '0', '"', ' ', '\\'].map((unit) => ({ unit })),
    { before: '{"phones":[', unit: '{},', after: '{}]}' },
    { before: '{"http":"', unit: '1', after: '"}' },
    { before: '{"trunks":[{"name":"a","uri":"sip:a","prefixes":["+', unit: '1', after: 'x"]}]}' },
    { before: '{"phones":[{"name":"', unit: 'a', after: '","password":"x"}]}' },
  ],
  maxBytes: 60_000,
  maxMs: 200,
  check: async (bytes) => {
    writeFileSync(FILE, bytes);
    try {
      await loadConfig({ flags: { data: '/nowhere' }, environment: {}, file: FILE });
    } catch (error) {
      assert.ok(error instanceof ConfigError, error as Error);
      assert.ok(error.message.length <= MAX_COMPLAINT_CHARS, `a complaint of ${error.message.length} characters`);
      assert.ok(!/secret/.test(error.message.replaceAll(/"[^"]*secret[^"]*" is not a known key/g, '')), error.message);
    }
  },
  close: async () => rmSync(FILE, { force: true }),
};
