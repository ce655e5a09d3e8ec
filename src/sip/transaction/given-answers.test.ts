import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Hop } from '../transport/hop.ts';
import { GivenAnswers } from './given-answers.ts';

const LIFETIME_MS = 32_000;
const TO: Hop = { transport: 'udp', remote: { address: '10.0.0.2', port: 5060 } };
const BYTES = new Uint8Array([1]);

test('an answer is found until its time is over, and no timer is left then', async () => {
  const clock = new VirtualClock();
  const answers = new GivenAnswers(clock, LIFETIME_MS);
  answers.keep('a', BYTES, TO);
  await clock.advance(LIFETIME_MS - 1);
  assert.deepEqual(answers.find('a')?.to, TO);
  await clock.advance(1);
  assert.equal(answers.find('a'), undefined);
  assert.equal(clock.pending, 0);
});

test('a thousand answers go one after another behind a single timer', async () => {
  const clock = new VirtualClock();
  const answers = new GivenAnswers(clock, LIFETIME_MS);
  for (let index = 0; index < 1000; index += 1) {
    answers.keep(String(index), BYTES, TO);
    await clock.advance(1);
  }
  assert.equal(clock.pending, 1);
  await clock.advance(LIFETIME_MS - 500);
  assert.equal(answers.find('999')?.bytes, BYTES, 'the last one has half of its time left');
  assert.ok(answers.size > 400 && answers.size < 700, `${answers.size} are left`);
  await clock.advance(1_000);
  assert.equal(answers.size, 0);
});

test('cleared, it forgets everything and its timer', () => {
  const clock = new VirtualClock();
  const answers = new GivenAnswers(clock, LIFETIME_MS);
  answers.keep('a', BYTES, TO);
  answers.clear();
  assert.equal(answers.find('a'), undefined);
  assert.equal(clock.pending, 0);
});
