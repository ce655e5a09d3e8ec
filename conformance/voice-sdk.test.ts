import { suite, test } from 'node:test';
import { everyPeer } from '../src/testkit/peers.ts';
import { SCENARIOS } from './voice-sdk/scenarios.ts';
import type { Way } from './voice-sdk/way.ts';

const byOptions: Way = {
  serverFlags: [],
  browser: {},
  prepare: () => Promise.resolve(),
  deviceOptions: ({ https }) => ({
    chunderw: new URL(https).host,
    publishEvents: false,
    logLevel: 'silent',
    closeProtection: false,
  }),
  soundsUrl: ({ https }) => `${https}/js/client/sounds/releases/1.0.0`,
  hosts: ['127.0.0.1'],
};

suite('the unmodified Voice SDK, told by its options where to go', everyPeer('chromium', 'baresip'), () => {
  for (const { title, run } of SCENARIOS) test(title, (t) => run(t, byOptions));
});
