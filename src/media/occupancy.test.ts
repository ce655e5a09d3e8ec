import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopOccupancy } from './occupancy.ts';

/** A loop that works for so many milliseconds of each 20. */
function working(ms: number, legs: number, ticks: number): LoopOccupancy {
  let active = 0;
  const occupancy = new LoopOccupancy(() => active);
  for (let tick = 0; tick < ticks; tick += 1) {
    occupancy.sample(tick * 20, legs);
    active += ms;
  }
  return occupancy;
}

test('says what part of the last second the loop was busy', () => {
  assert.equal(working(8, 100, 400).share(100), 0.4);
});

test('adds what legs that came within the second will take', () => {
  const share = working(8, 100, 400).share(200);
  assert.ok(share > 0.5 && share < 0.7, String(share));
  assert.equal(working(8, 100, 400).share(1_000), 1);
});

test('remembers for five seconds that it was full, so that callers who try again do not fill it', () => {
  let active = 0;
  let now = 0;
  const occupancy = new LoopOccupancy(() => active);
  const work = (ms: number, ticks: number): void => {
    for (let tick = 0; tick < ticks; tick += 1) {
      occupancy.sample((now += 20), 300);
      active += ms;
    }
  };
  work(18, 300);
  work(10, 50);
  const share = occupancy.share(300);
  assert.ok(share > 0.75 && share < 0.9, String(share));
  work(18, 50);
  assert.ok(occupancy.share(300) > 0.88);
  work(10, 300);
  assert.equal(occupancy.share(300), 0.5);
});

test('takes nothing off for legs that went', () => {
  assert.equal(working(8, 100, 400).share(10), 0.4);
});

test('says nothing before it has seen a second', () => {
  assert.equal(working(20, 100, 49).share(100), 0);
});

test('measures the loop of this process', async () => {
  const occupancy = new LoopOccupancy();
  for (let tick = 0; tick < 60; tick += 1) {
    const until = performance.now() + 1;
    while (performance.now() < until);
    occupancy.sample(performance.now(), 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(occupancy.share(1) > 0.9);
});
