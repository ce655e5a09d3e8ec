import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { MAX_NAME_BYTES, MAX_TTL_MS, MAX_VALUE_BYTES, type Directory } from './directory.ts';

export interface OpenedDirectory {
  readonly directory: Directory;
  close(): void | Promise<void>;
}

/** What every Directory promises. `open` gives an empty one that lives on the clock. */
export function directoryCompliance(name: string, open: (clock: VirtualClock) => Promise<OpenedDirectory>): void {
  const promise = (title: string, test: (directory: Directory, clock: VirtualClock) => Promise<void>): void => {
    it(title, async () => {
      const clock = new VirtualClock(1_000);
      const { directory, close } = await open(clock);
      try {
        await test(directory, clock);
      } finally {
        await close();
      }
    });
  };
  const values = async (directory: Directory, key: string): Promise<readonly string[]> =>
    (await directory.get(key)).map((entry) => entry.value);

  describe(name, () => {
    promise('gives what was put under a key, oldest first, and nothing else', async (directory) => {
      await directory.put('k', 'b', 'first', 1_000);
      await directory.put('k', 'a', 'second', 1_000);
      await directory.put('other', 'a', 'third', 1_000);
      assert.deepEqual(await values(directory, 'k'), ['first', 'second']);
      assert.deepEqual(await values(directory, 'none'), []);
    });

    promise('says when a value expires', async (directory) => {
      await directory.put('k', 'a', 'v', 500);
      assert.deepEqual(await directory.get('k'), [{ key: 'k', id: 'a', value: 'v', expiresAt: 1_500 }]);
    });

    promise('putting the same id replaces the value and its time', async (directory, clock) => {
      await directory.put('k', 'a', 'old', 500);
      await clock.advance(400);
      await directory.put('k', 'a', 'new', 500);
      await clock.advance(499);
      assert.deepEqual(await values(directory, 'k'), ['new']);
      await clock.advance(1);
      assert.deepEqual(await values(directory, 'k'), []);
    });

    promise('a value is gone at its time, the others stay', async (directory, clock) => {
      await directory.put('k', 'a', 'short', 100);
      await directory.put('k', 'b', 'long', 200);
      await clock.advance(99);
      assert.deepEqual(await values(directory, 'k'), ['short', 'long']);
      await clock.advance(1);
      assert.deepEqual(await values(directory, 'k'), ['long']);
    });

    promise('what is removed is gone; removing what is not there does nothing', async (directory) => {
      await directory.put('k', 'a', 'v', 1_000);
      await directory.remove('k', 'a');
      await directory.remove('k', 'a');
      await directory.remove('none', 'a');
      assert.deepEqual(await values(directory, 'k'), []);
    });

    promise('a watcher hears of every change of its key, expiry too, until it stops', async (directory, clock) => {
      const seen: string[][] = [];
      const watch = directory.watch('k', (entries) => void seen.push(entries.map((entry) => entry.value)));
      await directory.put('k', 'a', 'one', 100);
      await directory.put('k', 'b', 'two', 1_000);
      await directory.put('other', 'b', 'three', 1_000);
      await clock.advance(100);
      await directory.remove('k', 'b');
      watch.stop();
      watch.stop();
      await directory.put('k', 'c', 'four', 100);
      await clock.advance(0);
      assert.deepEqual(seen, [['one'], ['one', 'two'], ['two'], []]);
    });

    promise('a watcher that throws harms nobody', async (directory, clock) => {
      const seen: number[] = [];
      directory.watch('k', () => {
        throw new Error('broken');
      });
      directory.watch('k', (entries) => void seen.push(entries.length));
      await directory.put('k', 'a', 'v', 100);
      await clock.advance(0);
      assert.deepEqual(seen, [1]);
    });

    promise('refuses what is too large, with a code, and keeps what was there', async (directory) => {
      await directory.put('k', 'a', 'v', 1_000);
      const tooLong = 'é'.repeat(MAX_VALUE_BYTES / 2 + 1);
      await assert.rejects(directory.put('k', 'a', tooLong, 1_000), { code: 'too-large' });
      await assert.rejects(directory.put('x'.repeat(MAX_NAME_BYTES + 1), 'a', 'v', 1_000), { code: 'too-large' });
      await assert.rejects(directory.put('k', 'x'.repeat(MAX_NAME_BYTES + 1), 'v', 1_000), { code: 'too-large' });
      await directory.put('k', 'b', 'é'.repeat(MAX_VALUE_BYTES / 2), 1_000);
      assert.equal((await values(directory, 'k'))[0], 'v');
    });

    promise('refuses a time to live that means nothing', async (directory) => {
      for (const ttlMs of [0, -1, Number.NaN, Infinity, MAX_TTL_MS + 1]) {
        await assert.rejects(directory.put('k', 'a', 'v', ttlMs), { code: 'bad-ttl' });
      }
    });
  });
}
