import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { identityOfTab } from './identity.ts';
import { fragmentOf, routeOf } from './route.ts';

test('an address leads to its room and back; what is unknown leads home', () => {
  const sid = `CA${'1'.repeat(32)}`;
  for (const fragment of ['#/', '#/calls', `#/calls/${sid}`]) assert.equal(fragmentOf(routeOf(fragment)), fragment);
  assert.deepEqual(routeOf('#/nowhere'), { room: 'home' });
  assert.deepEqual(routeOf('#/calls/<script>'), { room: 'calls', sid: undefined });
});

test('a tab keeps its identity over a reload, and a broken one is made anew', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const first = identityOfTab(storage, seededRandom(1));
  assert.match(first, /^browser-[0-9a-f]{6}$/);
  assert.equal(identityOfTab(storage, seededRandom(2)), first);
  kept.set('tandem.identity', '<b>');
  assert.match(identityOfTab(storage, seededRandom(3)), /^browser-[0-9a-f]{6}$/);
});
