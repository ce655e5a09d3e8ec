import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PaceLimiter } from './pace.ts';

describe('PaceLimiter', () => {
  it('lets one a step through and says when the next is free', () => {
    const pace = new PaceLimiter({ ratePerSecond: 2 });
    assert.deepEqual(pace.take(1_000), { allowed: true });
    assert.deepEqual(pace.take(1_000), { allowed: false, retryAtMs: 1_500 });
    assert.deepEqual(pace.take(1_499), { allowed: false, retryAtMs: 1_500 });
    assert.deepEqual(pace.take(1_500), { allowed: true });
  });

  it('lets no more than the burst through after a pause', () => {
    const pace = new PaceLimiter({ ratePerSecond: 1, burst: 3 });
    const taken = (nowMs: number): number =>
      Array.from({ length: 10 }, () => pace.take(nowMs)).filter((d) => d.allowed).length;
    assert.equal(taken(0), 3);
    assert.equal(taken(1_000), 1);
    assert.equal(taken(1_000_000), 3);
  });

  it('a refusal costs nothing', () => {
    const pace = new PaceLimiter({ ratePerSecond: 1 });
    pace.take(0);
    for (let ms = 0; ms < 1_000; ms += 10) pace.take(ms);
    assert.deepEqual(pace.take(1_000), { allowed: true });
  });

  it('never lets more through than rate and burst allow, and always what it promised', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 200 });
    const rate = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 5 }), steps, (ratePerSecond, burst, gaps) => {
        const pace = new PaceLimiter({ ratePerSecond, burst });
        let nowMs = 0;
        let allowed = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const decision = pace.take(nowMs);
          if (decision.allowed) allowed += 1;
          else {
            nowMs = decision.retryAtMs;
            assert.ok(pace.take(nowMs).allowed);
            allowed += 1;
          }
        }
        assert.ok(allowed <= burst + (nowMs * ratePerSecond) / 1_000 + 1e-6);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a rate or a burst that means nothing', () => {
    for (const ratePerSecond of [0, -1, Number.NaN])
      assert.throws(() => new PaceLimiter({ ratePerSecond }), RangeError);
    assert.throws(() => new PaceLimiter({ ratePerSecond: 1, burst: 0 }), RangeError);
  });
});
