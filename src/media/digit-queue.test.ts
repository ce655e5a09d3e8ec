import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DigitQueue, MAX_WAITING_STRINGS } from './digit-queue.ts';

test('refuses a string when too many wait, and takes one again when there is room', async () => {
  const queue = new DigitQueue();
  const waiting = Array.from({ length: MAX_WAITING_STRINGS }, () => queue.add('5'));
  const refused = await queue.add('6').done;
  assert.equal(refused.outcome, 'failed');
  assert.equal(refused.error, 'overloaded');
  waiting[0]?.stop();
  const taken = queue.add('7');
  queue.stopAll();
  assert.equal((await taken.done).outcome, 'stopped');
  assert.ok(queue.idle);
});
