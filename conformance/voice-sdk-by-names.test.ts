import { join } from 'node:path';
import { suite, test } from 'node:test';
import { ownNamesOptions, runWithOwnNames } from '../src/testkit/own-names.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { SCENARIOS } from './voice-sdk/scenarios.ts';

const PROGRAM = join(import.meta.dirname, 'own-names/voice-sdk.ts');
const options = ownNamesOptions().skip === undefined ? everyPeer('chromium', 'baresip', 'certutil') : ownNamesOptions();

suite('the unmodified Voice SDK, told nothing: names and an authority lead it here', options, () => {
  for (const { title } of SCENARIOS) test(title, (t) => runWithOwnNames(t, PROGRAM, [title]));
});
