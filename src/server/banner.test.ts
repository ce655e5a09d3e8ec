import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner } from './banner.ts';
import { defaultDataFolder } from './load-config.ts';
import type { Program } from './program.ts';

const PROGRAM: Program = {
  http: 'http://127.0.0.1:3600',
  sip: { udp: '127.0.0.1:5060', tcp: '127.0.0.1:5060' },
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: '2'.repeat(32),
  speech: 'none',
  firstNumber: '+12025550100',
  phones: 0,
  notices: [],
  liveCalls: () => 0,
  drain: async () => undefined,
  close: async () => undefined,
};

test('the commands name the data folder of the server, unless it is the one where they look anyway', () => {
  assert.match(banner(PROGRAM, defaultDataFolder()), /phone add alice$/m);
  assert.match(banner(PROGRAM, '/srv/tandem'), /phone add alice --data \/srv\/tandem$/m);
  assert.match(banner({ ...PROGRAM, phones: 2 }, '/srv/my place'), /phone list --data '\/srv\/my place'$/m);
});
