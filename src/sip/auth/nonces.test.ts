import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { NONCE_LIFETIME_MS, Nonces } from './nonces.ts';

const HOST = '10.0.0.2';

test('a nonce is ours for its realm and address only, and stale after its lifetime', async () => {
  const clock = new VirtualClock(1_000_000);
  const nonces = new Nonces(clock, seededRandom(1));
  const nonce = nonces.issue('a', HOST);
  assert.equal(nonces.judge(nonce, 'a', HOST), 'fresh');
  assert.equal(nonces.judge(nonce, 'b', HOST), 'foreign');
  assert.equal(nonces.judge(`0${nonce.slice(1, -1)}x`, 'a', HOST), 'foreign');
  assert.equal(nonces.judge(nonce, 'a', '10.0.0.3'), 'foreign', 'given to another address');
  assert.equal(nonces.judge('', 'a', HOST), 'foreign');
  assert.equal(new Nonces(clock, seededRandom(2)).judge(nonce, 'a', HOST), 'foreign');
  await clock.advance(NONCE_LIFETIME_MS + 1);
  assert.equal(nonces.judge(nonce, 'a', HOST), 'stale');
});

test('each count of a nonce is taken once and in rising order', () => {
  const nonces = new Nonces(new VirtualClock(1_000), seededRandom(1));
  const nonce = nonces.issue('a', HOST);
  assert.deepEqual(
    [1, 1, 2, 5, 4, 6].map((count) => nonces.use(nonce, count)),
    [true, false, true, true, false, true],
  );
});

test('a nonce whose count was forgotten for want of room is never taken again', async () => {
  const clock = new VirtualClock(1_000);
  const nonces = new Nonces(clock, seededRandom(1), 2);
  const issued: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    issued.push(nonces.issue('a', HOST));
    await clock.advance(10);
    assert.ok(nonces.use(issued[index] ?? '', 1));
  }
  assert.equal(nonces.use(issued[0] ?? '', 2), false, 'its count might have been seen');
  assert.equal(nonces.use(issued[2] ?? '', 2), true);
});
