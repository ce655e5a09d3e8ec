import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from './clock.ts';

describe('systemClock', () => {
  it('is the wall clock, and never goes back', () => {
    assert.ok(Math.abs(systemClock.now() - Date.now()) < 1_000);
    let last = systemClock.now();
    for (let n = 0; n < 1_000; n += 1) {
      const now = systemClock.now();
      assert.ok(now >= last);
      last = now;
    }
  });

  it('runs a past timer soon, not at once, and a cancelled one never', async () => {
    const seen: string[] = [];
    const cancel = systemClock.at(0, () => seen.push('cancelled'));
    cancel();
    const ran = new Promise<void>((resolve) => systemClock.at(0, resolve));
    seen.push('first');
    await ran;
    assert.deepEqual(seen, ['first']);
  });

  it('takes a time beyond what a timer of the host can wait', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    let fired = false;
    const cancel = systemClock.at(systemClock.now() + 3_000_000_000, () => (fired = true));
    context.mock.timers.tick(2_147_483_647);
    assert.equal(fired, false);
    cancel();
  });
});
