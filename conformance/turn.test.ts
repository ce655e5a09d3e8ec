import { join } from 'node:path';
import { test } from 'node:test';
import { ownNamesOptions, runWithOwnNames } from '../src/testkit/own-names.ts';
import { everyPeer } from '../src/testkit/peers.ts';

const options = ownNamesOptions().skip === undefined ? everyPeer('chromium', 'turnserver') : ownNamesOptions();

test('a browser that may use nothing but the relay talks through coturn, set up as docs/turn.md says', options, (t) =>
  runWithOwnNames(t, join(import.meta.dirname, 'own-names/turn.ts')),
);
