import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

test('gives every percentile within two in a hundred of the sorted values', () => {
  const values = fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 500 });
  fc.assert(
    fc.property(values, fc.constantFrom(0.5, 0.95, 0.99, 0.999, 1), (list, share) => {
      const histogram = new Histogram();
      for (const value of list) histogram.add(value);
      const exact = list.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(share * list.length)) - 1] ?? 0;
      const told = histogram.percentileMs(share);
      assert.ok(told >= exact * 0.999 && told <= exact * 1.02 + 0.001, `${told} for ${exact}`);
    }),
  );
});

test('keeps the largest value exactly, and nothing after it is cleared', () => {
  const histogram = new Histogram();
  for (const value of [3, 1234.5, 7]) histogram.add(value);
  assert.deepEqual([histogram.count, histogram.maxMs, histogram.percentileMs(1)], [3, 1234.5, 1234.5]);
  histogram.clear();
  assert.deepEqual([histogram.count, histogram.maxMs, histogram.percentileMs(0.99)], [0, 0, 0]);
});

test('takes times beyond its range, and what is no time, without losing count', () => {
  const histogram = new Histogram();
  for (const value of [1e12, -5, Number.NaN, 0]) histogram.add(value);
  assert.equal(histogram.count, 4);
  assert.equal(histogram.percentileMs(0.5), 0.001);
});
