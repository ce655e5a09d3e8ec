import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { MIN_SKEW_MS, ServerTime, TICK_MS } from './server-time.ts';

const START = 1_800_000_000_000;

suite("the server's time", () => {
  test('is the same for everybody who looks, whenever each began to look', async () => {
    const clock = new VirtualClock(START);
    const time = new ServerTime(clock);
    const seen: number[][] = [];
    time.subscribe(() => seen.push([time.get()]));
    await clock.advance(TICK_MS * 0.7);
    time.subscribe(() => seen.at(-1)?.push(time.get()));
    assert.equal(time.get(), START);
    await clock.advance(TICK_MS * 1.4);
    assert.deepEqual(
      seen,
      [1, 2].map((tick) => [START + tick * TICK_MS, START + tick * TICK_MS]),
    );
  });

  test('is right where the clock of the page is wrong; what a message needed on its way moves nothing', async () => {
    const clock = new VirtualClock(START);
    const time = new ServerTime(clock);
    time.heard(START - MIN_SKEW_MS + 1);
    assert.equal(time.get(), START);
    let told = 0;
    time.subscribe(() => (told += 1));
    time.heard(START + 60_000);
    assert.deepEqual([time.get(), time.of(START), told], [START + 60_000, START + 60_000, 1]);
    await clock.advance(TICK_MS);
    assert.deepEqual([time.get(), told], [START + 60_000 + TICK_MS, 2]);
  });

  test('rests while nobody looks, and is right at once when somebody does', async () => {
    const clock = new VirtualClock(START);
    const time = new ServerTime(clock);
    let told = 0;
    time.subscribe(() => (told += 1))();
    await clock.advance(TICK_MS * 4);
    assert.deepEqual([told, time.get()], [0, START + TICK_MS * 4]);
  });
});
