import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../base/clock.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { runOpenLoop } from './open-loop.ts';

const START = 1_000;

function loop(clock: VirtualClock, more: Partial<Parameters<typeof runOpenLoop>[0]>): ReturnType<typeof runOpenLoop> {
  return runOpenLoop({
    clock,
    arrivals: [0, 10, 20, 30],
    maxOpen: 100,
    start: () => Promise.resolve(),
    skipped: () => assert.fail('nothing is skipped'),
    signal: new AbortController().signal,
    ...more,
  });
}

test('begins work on time while earlier work is stuck', async () => {
  const clock = new VirtualClock(START);
  const begun: number[] = [];
  const running = loop(clock, {
    start: async () => {
      begun.push(clock.now() - START);
      await sleep(clock, 10_000);
    },
  });
  await clock.advance(30);
  const { started, open, lateness } = await running;
  assert.deepEqual(begun, [0, 10, 20, 30]);
  assert.deepEqual([started, open.size, lateness.maxMs], [4, 4, 0]);
});

test('tells the intended time of work that the generator begins late', async () => {
  const clock = new VirtualClock(START);
  const intended: number[] = [];
  const running = loop(clock, {
    arrivals: [0, 10],
    start: (at) => {
      intended.push(at - START);
      return Promise.resolve();
    },
  });
  // As a busy machine would: the timer of 10 ms is served at 250.
  const late = clock.at.bind(clock);
  clock.at = (_at, fn) => late(START + 250, fn);
  await clock.advance(5);
  await clock.advance(300);
  await running;
  assert.deepEqual(intended, [0, 10]);
});

test('says which work it left out when too much is open', async () => {
  const clock = new VirtualClock(START);
  const skipped: number[] = [];
  const never = new Promise<void>(() => undefined);
  const running = loop(clock, { maxOpen: 2, start: () => never, skipped: (index) => void skipped.push(index) });
  await clock.advance(30);
  assert.deepEqual([(await running).started, skipped], [2, [2, 3]]);
});

test('ends at once when it is told to', async () => {
  const clock = new VirtualClock(START);
  const stop = new AbortController();
  const running = loop(clock, { signal: stop.signal });
  await clock.advance(15);
  stop.abort();
  assert.equal((await running).started, 2);
});
