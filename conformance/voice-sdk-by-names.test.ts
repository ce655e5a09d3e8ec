import { join } from 'node:path';
import { suite, test } from 'node:test';
import { ownNamesOptions, runWithOwnNames } from '../src/testkit/own-names.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { SCENARIOS } from './voice-sdk/scenarios.ts';

const PROGRAM = join(import.meta.dirname, 'own-names/voice-sdk.ts');
const options = ownNamesOptions().skip === undefined ? everyPeer('chromium', 'baresip', 'certutil') : ownNamesOptions();

/**
 * Beside `voice-sdk.test.ts`, which does all of them with the same server, a run of everything has time for these; all are
 * done with TANDEM_THOROUGH=1.
 */
const ALWAYS = /^registers|^asks no other host/;
const scenarios = SCENARIOS.filter(({ title }) => process.env['TANDEM_THOROUGH'] === '1' || ALWAYS.test(title));

suite('the unmodified Voice SDK, told nothing: names and an authority lead it here', options, () => {
  for (const { title } of scenarios) test(title, (t) => runWithOwnNames(t, PROGRAM, [title]));
});
