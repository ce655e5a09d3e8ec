import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { holding } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { OrderedOutside } from './ordered-outside.ts';

suite('work in the world outside', () => {
  test('is let in in the order in which it was begun, each piece when the one before it has come to rest', async () => {
    const clock = new VirtualClock();
    const outside = new OrderedOutside(clock);
    const told: string[] = [];
    const [first, second] = [deferred<void>(), deferred<void>()];
    const piece = (name: string, done: Promise<void>): Promise<void> =>
      holding(clock, () => outside.run(() => done)).then(async () => {
        told.push(name);
        // What it sets off takes a while, and holds the clock.
        await holding(clock, () => new Promise((resolve) => setImmediate(resolve)));
        told.push(`${name} rests`);
      });
    const both = Promise.all([piece('first', first.promise), piece('second', second.promise)]);
    second.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told, []);
    first.resolve();
    await both;
    assert.deepEqual(told, ['first', 'first rests', 'second', 'second rests']);
  });

  test('that fails lets the next piece in, too', async () => {
    const clock = new VirtualClock();
    const outside = new OrderedOutside(clock);
    const run = (work: () => Promise<string>): Promise<string> => holding(clock, () => outside.run(work));
    const results = await Promise.allSettled([
      run(() => Promise.reject(new Error('no answer'))),
      run(() => Promise.resolve('answer')),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
  });
});
