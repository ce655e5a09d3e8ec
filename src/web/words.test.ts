import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallStatus } from './model.ts';
import { agoText, clockText, legText, offsetText, shortAddress, tookText } from './words.ts';

test('times are short and whole', () => {
  assert.deepEqual([0, 7_900, 750_000, 3_723_000].map(clockText), ['0:00', '0:07', '12:30', '1:02:03']);
  assert.deepEqual([40, 12_340, 125_000].map(offsetText), ['+0.04 s', '+12.3 s', '+2:05']);
  assert.deepEqual([3.6, 1250].map(tookText), ['4 ms', '1.25 s']);
  assert.deepEqual(
    [0, 60_000, 7_200_000, 86_400_000].map((passed) => agoText(0, passed)),
    ['just now', '1 minute ago', '2 hours ago', '1 day ago'],
  );
});

test('an address leaves out what everybody knows', () => {
  assert.equal(shortAddress('sip:alice@home.tandem', 'home.tandem'), 'alice');
  assert.equal(shortAddress('sip:alice@elsewhere.example', 'home.tandem'), 'sip:alice@elsewhere.example');
  assert.equal(shortAddress('client:browser-1', 'home.tandem'), 'browser-1');
  assert.equal(shortAddress('', 'home.tandem'), 'nobody');
});

test('a leg says how it ended where nobody spoke', () => {
  const leg = (status: CallStatus): string => legText({ to: 'client:jenny', status }, 'home.tandem');
  assert.deepEqual([leg('completed'), leg('ringing')], ['→ jenny', '→ jenny']);
  assert.deepEqual(
    [leg('no-answer'), leg('busy'), leg('failed')],
    ['→ jenny: no answer', '→ jenny: busy', '→ jenny: failed'],
  );
});
