import { join } from 'node:path';
import { test } from 'node:test';
import { ownNamesOptions, runWithOwnNames } from '../src/testkit/own-names.ts';
import { everyPeer } from '../src/testkit/peers.ts';

const possible = ownNamesOptions().skip === undefined ? everyPeer('chromium', 'iptables') : ownNamesOptions();
const options = process.env['TANDEM_THOROUGH'] === '1' ? possible : { skip: 'takes half a minute: TANDEM_THOROUGH=1' };

test('a firewall lets no UDP through, from the beginning or in a call', options, (t) =>
  runWithOwnNames(t, join(import.meta.dirname, 'own-names/blocked-udp.ts')),
);
