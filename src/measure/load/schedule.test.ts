import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { arrivals } from './schedule.ts';

test('spaces arrivals evenly and without drift', () => {
  const random = seededRandom(1);
  const all = [...arrivals({ ratePerSecond: 3, durationMs: 1_000_000, spacing: 'even', random })];
  assert.equal(all.length, 3_000);
  assert.deepEqual(all.slice(0, 4), [0, 1000 / 3, (1000 / 3) * 2, (1000 / 3) * 3]);
  assert.ok(Math.abs((all.at(-1) ?? 0) - (1_000_000 - 1000 / 3)) < 1e-6);
});

test('draws Poisson arrivals with the asked rate and its spread', () => {
  const all = [...arrivals({ ratePerSecond: 50, durationMs: 200_000, spacing: 'poisson', random: seededRandom(7) })];
  // 10,000 expected; five standard deviations are 500.
  assert.ok(Math.abs(all.length - 10_000) < 500, `${all.length} arrivals`);
  const gaps = all.slice(1).map((at, index) => at - (all[index] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  // An exponential spread is as wide as its mean.
  assert.ok(Math.abs(deviation / mean - 1) < 0.1, `${deviation} beside ${mean}`);
  assert.ok(gaps.every((gap) => gap >= 0));
});
