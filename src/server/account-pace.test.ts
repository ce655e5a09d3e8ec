import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { accountPace } from './account-pace.ts';

test('an account has a second of requests at once, then waits for the next one', async () => {
  const clock = new VirtualClock(1000);
  const pace = accountPace(2, clock);
  assert.deepEqual([pace('AC1'), pace('AC1'), pace('AC1')], [0, 0, 500]);
  await clock.advance(500);
  assert.deepEqual([pace('AC1'), pace('AC1')], [0, 500]);
});

test('accounts do not wait for each other', () => {
  const pace = accountPace(1, new VirtualClock());
  assert.deepEqual([pace('AC1'), pace('AC2'), pace('AC1')], [0, 0, 1000]);
});

test('a rate below one a second lets a first request through', () => {
  const pace = accountPace(0.5, new VirtualClock());
  assert.deepEqual([pace('AC1'), pace('AC1')], [0, 2000]);
});

test('counts a bounded number of accounts; whoever asks goes on being counted', () => {
  const pace = accountPace(1, new VirtualClock(), undefined, 2);
  assert.deepEqual(
    ['AC1', 'AC2', 'AC1', 'AC3', 'AC1', 'AC2'].map((sid) => pace(sid)),
    [0, 0, 1000, 0, 1000, 0],
  );
});
