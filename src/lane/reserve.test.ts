import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reserve } from './reserve.ts';

describe('Reserve', () => {
  it('holds up to its capacity and refuses beyond it', () => {
    const reserve = new Reserve(3);
    assert.ok(reserve.hold(2));
    assert.equal(reserve.hold(2), undefined);
    assert.equal(reserve.free, 1);
    assert.ok(reserve.hold());
    assert.equal(reserve.hold(), undefined);
  });

  it('gives back once, however often it is released', () => {
    const reserve = new Reserve(1);
    const release = reserve.hold();
    release?.();
    release?.();
    assert.equal(reserve.held, 0);
    assert.ok(reserve.hold());
    assert.equal(reserve.hold(), undefined);
  });

  it('refuses an amount or a capacity that means nothing', () => {
    assert.throws(() => new Reserve(-1), RangeError);
    assert.throws(() => new Reserve(1).hold(0), RangeError);
    assert.throws(() => new Reserve(1).hold(-1), RangeError);
  });
});
