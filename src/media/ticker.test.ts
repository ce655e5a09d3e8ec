import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cancel, Clock } from '../base/clock.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { FRAME_MS, FrameTicker } from './ticker.ts';

/** A clock whose single timer fires whenever the test says so, however late. */
class LateClock implements Clock {
  timeMs = 0;
  due = 0;
  #fn: (() => void) | undefined;
  now(): number {
    return this.timeMs;
  }
  at(timeMs: number, fn: () => void): Cancel {
    this.due = timeMs;
    this.#fn = fn;
    return () => (this.#fn = undefined);
  }
  hold(): () => void {
    return () => undefined;
  }
  fireAt(timeMs: number): void {
    this.timeMs = timeMs;
    this.#fn?.();
  }
}

test('ticks fifty times in a virtual second, on the beat', async () => {
  const clock = new VirtualClock();
  const ticker = new FrameTicker(clock);
  const times: number[] = [];
  ticker.start(() => times.push(clock.now()));
  await clock.advance(1_000);
  ticker.stop();
  assert.equal(times.length, 50);
  assert.deepEqual(times.slice(0, 3), [20, 40, 60]);
  assert.equal(clock.pending, 0);
});

test('keeps the beat when every timer is late', () => {
  const clock = new LateClock();
  const ticker = new FrameTicker(clock);
  let ticks = 0;
  ticker.start(() => (ticks += 1));
  for (let i = 0; i < 500; i += 1) clock.fireAt(clock.due + 3);
  assert.equal(clock.timeMs, 500 * FRAME_MS + 3);
  assert.equal(ticks, 500);
  assert.ok(Math.abs(ticker.latenessMs(0.99) - 3) < 1e-9);
});

test('catches up after a delay at twice the pace, without a burst', () => {
  const clock = new LateClock();
  const ticker = new FrameTicker(clock);
  const times: number[] = [];
  ticker.start((skipped) => {
    assert.equal(skipped, 0);
    times.push(clock.timeMs);
  });
  clock.fireAt(120);
  while (clock.timeMs < 400) clock.fireAt(clock.due);
  for (let i = 1; i < times.length; i += 1) assert.ok((times[i] as number) - (times[i - 1] as number) >= 10);
  assert.equal(times.length, 400 / FRAME_MS);
});

test('skips the frames of a long standstill and says how many', () => {
  const clock = new LateClock();
  const ticker = new FrameTicker(clock);
  const skips: number[] = [];
  ticker.start((skipped) => skips.push(skipped));
  clock.fireAt(20);
  clock.fireAt(1_040);
  clock.fireAt(clock.due);
  assert.deepEqual(skips, [0, 50, 0]);
  assert.equal(clock.timeMs, 1_060);
});
