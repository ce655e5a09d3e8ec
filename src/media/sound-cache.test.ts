import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SoundCache } from './sound-cache.ts';

const sound = (bytes: number): Promise<Int16Array> => Promise.resolve(new Int16Array(bytes / 2));

test('gives up the sound that was not used for the longest time when there are too many bytes', async () => {
  const cache = new SoundCache({ maxBytes: 1000 });
  const loads: string[] = [];
  const get = (key: string): Promise<Int16Array> =>
    cache.get(key, () => {
      loads.push(key);
      return sound(400);
    });
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await get(key);
  assert.deepEqual(loads, ['a', 'b', 'c', 'b']);
});

test('does not keep a sound that is larger than all it may hold', async () => {
  const cache = new SoundCache({ maxBytes: 100 });
  let loads = 0;
  const load = (): Promise<Int16Array> => {
    loads += 1;
    return sound(400);
  };
  await cache.get('a', load);
  await cache.get('a', load);
  assert.equal(loads, 2);
});

test('does not remember a failure', async () => {
  const cache = new SoundCache();
  await assert.rejects(cache.get('a', () => Promise.reject(new Error('no'))));
  assert.equal((await cache.get('a', () => sound(4))).length, 2);
});
