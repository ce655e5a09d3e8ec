import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomInteger, seededRandom } from '../../base/random.ts';
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

test('no change to a nonce, of whatever character, leaves it ours', () => {
  const nonces = new Nonces(new VirtualClock(1_000), seededRandom(1));
  const nonce = nonces.issue('a', HOST);
  for (let at = 0; at < nonce.length; at += 1) {
    for (const other of ['0', '1', 'f', 'F', 'g', ' ', 'é', '\0']) {
      const changed = nonce.slice(0, at) + other + nonce.slice(at + 1);
      assert.equal(nonces.judge(changed, 'a', HOST), changed === nonce ? 'fresh' : 'foreign', `${other} at ${at}`);
    }
  }
  assert.equal(nonces.judge(nonce.toUpperCase(), 'a', HOST), 'foreign');
  assert.equal(nonces.judge(`${nonce}0`, 'a', HOST), 'foreign');
});

test('realm and address cannot be exchanged for others that read the same when joined', () => {
  const nonces = new Nonces(new VirtualClock(1_000), seededRandom(1));
  assert.equal(nonces.judge(nonces.issue('2 a', '10.0.0.2'), 'a', '10.0.0.2'), 'foreign');
  assert.equal(nonces.judge(nonces.issue('a', '10.0.0.2'), '2a', '10.0.0.'), 'foreign');
});

test('a count that is no number is taken for none, and spoils no later one', () => {
  const nonces = new Nonces(new VirtualClock(1_000), seededRandom(1));
  const nonce = nonces.issue('a', HOST);
  assert.deepEqual(
    [Number.NaN, 1, Number.NaN, 1, 2].map((count) => nonces.use(nonce, count)),
    [false, true, false, false, true],
  );
});

test('while fresh counts are forgotten for want of room, no count of any nonce is taken twice', () => {
  const nonces = new Nonces(new VirtualClock(1_000), seededRandom(1), 6);
  const random = seededRandom(9);
  const issued = Array.from({ length: 12 }, () => nonces.issue('a', HOST));
  const taken = new Set<string>();
  for (let step = 0; step < 3_000; step += 1) {
    const which = randomInteger(random, 0, issued.length - 1);
    const count = randomInteger(random, 1, 40);
    if (!nonces.use(issued[which] ?? '', count)) continue;
    assert.ok(!taken.has(`${which} ${count}`), `count ${count} of nonce ${which} was taken twice`);
    taken.add(`${which} ${count}`);
  }
  assert.ok(taken.size > 10);
});
