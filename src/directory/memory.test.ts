import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { directoryCompliance } from './compliance.ts';
import { MemoryDirectory } from './memory.ts';

directoryCompliance('MemoryDirectory', async (clock) => {
  const directory = new MemoryDirectory({ clock, logger: silentLogger });
  return { directory, close: () => directory.close() };
});

describe('MemoryDirectory limits', () => {
  it('refuses one value too many under a key, but renews those it has', async () => {
    const directory = new MemoryDirectory({ clock: new VirtualClock(), logger: silentLogger, maxValuesPerKey: 2 });
    await directory.put('k', 'a', '1', 10);
    await directory.put('k', 'b', '2', 10);
    await assert.rejects(directory.put('k', 'c', '3', 10), { code: 'full' });
    await directory.put('k', 'a', '4', 10);
    assert.equal((await directory.get('k')).length, 2);
  });

  it('refuses one key too many until one has gone', async () => {
    const clock = new VirtualClock();
    const directory = new MemoryDirectory({ clock, logger: silentLogger, maxKeys: 1 });
    await directory.put('k', 'a', '1', 10);
    await assert.rejects(directory.put('l', 'a', '1', 10), { code: 'full' });
    await clock.advance(10);
    await directory.put('l', 'a', '1', 10);
  });

  it('keeps one timer for a value that is put again and again, and lets it go on time', async () => {
    const clock = new VirtualClock();
    const directory = new MemoryDirectory({ clock, logger: silentLogger });
    const seen: number[] = [];
    for (const ttlMs of [10, 25, 18]) {
      await directory.put('k', 'a', 'v', ttlMs);
      assert.equal(clock.pending, 1);
      await clock.advance(5);
    }
    directory.watch('k', (entries) => seen.push(entries.length, clock.now()));
    // Put last at 10 for 18.
    await clock.advance(12);
    assert.equal((await directory.get('k')).length, 1);
    await clock.advance(1);
    assert.deepEqual(seen, [0, 28]);
    assert.equal(clock.pending, 0);
  });

  it('leaves no timer behind when it is closed', async () => {
    const clock = new VirtualClock();
    const directory = new MemoryDirectory({ clock, logger: silentLogger });
    for (const id of ['a', 'b']) await directory.put('k', id, 'v', 10);
    directory.close();
    assert.equal(clock.pending, 0);
  });
});
