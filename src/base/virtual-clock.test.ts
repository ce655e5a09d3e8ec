import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { after, holding, sleep } from './clock.ts';
import { deferred } from './deferred.ts';
import { VirtualClock } from './virtual-clock.ts';

const realTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('VirtualClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new VirtualClock(100);
    let fired = false;
    clock.at(100, () => (fired = true));
    await realTurn();
    assert.equal(fired, false);
    assert.equal(clock.now(), 100);
    await clock.advance(0);
    assert.equal(fired, true);
  });

  it('runs timers in order of time, then of their making, each at exactly its time', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(times, async (list) => {
        const clock = new VirtualClock();
        const seen: (readonly [number, number])[] = [];
        list.forEach((timeMs, index) => clock.at(timeMs, () => seen.push([clock.now(), index])));
        await clock.advance(50);
        const wanted = list.map((timeMs, index) => [timeMs, index] as const).sort((x, y) => x[0] - y[0] || x[1] - y[1]);
        assert.deepEqual(seen, wanted);
        assert.equal(clock.now(), 50);
      }),
      { numRuns: 40 },
    );
  });

  it('runs what a timer sets for the same stretch, and lets promise reactions run between timers', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    after(clock, 10, () => {
      seen.push('ten');
      void Promise.resolve().then(() => seen.push('reaction'));
      after(clock, 5, () => seen.push('fifteen'));
    });
    after(clock, 12, () => seen.push('twelve'));
    await clock.advance(15);
    assert.deepEqual(seen, ['ten', 'reaction', 'twelve', 'fifteen']);
  });

  it('a cancelled timer does not run, and cancelling twice or late harms nothing', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const cancel = after(clock, 1, () => seen.push('cancelled'));
    const late = after(clock, 2, () => seen.push('ran'));
    cancel();
    cancel();
    await clock.advance(5);
    late();
    assert.deepEqual(seen, ['ran']);
    assert.equal(clock.pending, 0);
  });

  it('a timer for the past runs at once, without turning time back', async () => {
    const clock = new VirtualClock(1_000);
    let at = 0;
    clock.at(5, () => (at = clock.now()));
    await clock.advance(0);
    assert.equal(at, 1_000);
  });

  it('does not move while anything holds it, and lets what waited act before the next timer', async () => {
    const clock = new VirtualClock();
    const outside = deferred<void>();
    const seen: string[] = [];
    const work = holding(clock, () => outside.promise).then(async () => {
      // Several reactions deep, as real code is.
      for (let n = 0; n < 20; n += 1) await Promise.resolve();
      seen.push(`answered at ${clock.now()}`);
      after(clock, 1, () => seen.push(`timer of the answer at ${clock.now()}`));
    });
    after(clock, 5, () => seen.push('five'));
    const moved = clock.advance(10);
    await realTurn();
    assert.equal(clock.now(), 0);
    outside.resolve();
    await moved;
    await work;
    assert.deepEqual(seen, ['answered at 0', 'timer of the answer at 1', 'five']);
  });

  it('ends a hold once, however often it is released', async () => {
    const clock = new VirtualClock();
    const [first, second] = [clock.hold(), clock.hold()];
    first();
    first();
    let moved = false;
    const advance = clock.advance(1).then(() => (moved = true));
    for (let n = 0; n < 5; n += 1) await realTurn();
    assert.equal(moved, false);
    second();
    await advance;
  });

  it('runs until a promise settles, and no further', async () => {
    const clock = new VirtualClock();
    after(clock, 100, () => assert.fail('too far'));
    const value = await clock.runUntil(sleep(clock, 50).then(() => 'done'));
    assert.equal(value, 'done');
    assert.equal(clock.now(), 50);
    await assert.rejects(clock.runUntil(Promise.reject(new Error('no'))), { message: 'no' });
  });

  it('waits in real time for a promise that has no timer', async () => {
    const clock = new VirtualClock();
    const outside = deferred<string>();
    setImmediate(() => setImmediate(() => outside.resolve('real')));
    assert.equal(await clock.runUntil(outside.promise), 'real');
  });
});

describe('sleep', () => {
  it("rejects with the signal's reason when it is aborted, before or during, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 100, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(sleeping, { message: 'enough' });
    await assert.rejects(sleep(clock, 100, controller.signal), { message: 'enough' });
    assert.equal(clock.pending, 0);
  });
});
