// Run by voice-sdk-by-names.test.ts in a network of its own, with the title of a scenario.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWN_SERVICES } from '../../src/testkit/chromium.ts';
import { settleInside } from '../../src/testkit/own-names.ts';
import { SCENARIOS } from '../voice-sdk/scenarios.ts';
import type { Way } from '../voice-sdk/way.ts';

/** Nothing is told to the SDK. The machine has what `tandem trust --install` gives it, and the server is on port 443. */
const byNames: Way = {
  serverFlags: ['--https', '127.0.0.1:443'],
  browser: { resolver: 'system', anyCertificate: false },
  prepare: async (tandem) => {
    const { code, stderr } = await tandem.command('trust', '--install');
    assert.equal(code, 0, stderr);
  },
  deviceOptions: () => ({}),
  soundsUrl: () => '',
  hosts: ['127.0.0.1', 'voice-js.roaming.twilio.com', 'sdk.twilio.com'],
};

const [, , title] = process.argv;
const scenario = SCENARIOS.find((each) => each.title === title);
if (scenario === undefined) throw new Error(`"${title}": want the title of a scenario`);

test(scenario.title, async (t) => {
  const names = await settleInside(t);
  await scenario.run(t, byNames);
  // Whatever is not in the hosts file would have been asked here, by anybody.
  assert.deepEqual(
    names.names().filter((name) => !OWN_SERVICES.test(name)),
    [],
  );
});
