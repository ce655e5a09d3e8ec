import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cleanup } from './cleanup.ts';

test('closes in the opposite order, once', async () => {
  const closed: number[] = [];
  const cleanup = new Cleanup();
  for (const n of [1, 2, 3]) cleanup.add(() => closed.push(n));
  await cleanup.run();
  await cleanup.run();
  assert.deepEqual(closed, [3, 2, 1]);
});

test('waits for each part before it closes the one below', async () => {
  const closed: string[] = [];
  const cleanup = new Cleanup();
  cleanup.add(() => closed.push('store'));
  cleanup.add(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    closed.push('door');
  });
  await cleanup.run();
  assert.deepEqual(closed, ['door', 'store']);
});

test('two runs at once close each part once, and both wait for the end', async () => {
  const closed: string[] = [];
  const cleanup = new Cleanup();
  const slow = Promise.withResolvers<undefined>();
  cleanup.add(() => slow.promise.then(() => closed.push('slow')));
  const first = cleanup.run();
  const second = cleanup.run().then(() => closed.push('second run'));
  slow.resolve(undefined);
  await Promise.all([first, second]);
  assert.deepEqual(closed, ['slow', 'second run']);
});

test('a part that fails keeps no other open, and the first failure is told', async () => {
  const closed: number[] = [];
  const cleanup = new Cleanup();
  cleanup.add(() => closed.push(1));
  cleanup.add(() => Promise.reject(new Error('later')));
  cleanup.add(() => {
    throw new Error('first');
  });
  await assert.rejects(cleanup.run(), /first/);
  assert.deepEqual(closed, [1]);
});
