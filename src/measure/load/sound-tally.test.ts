import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SoundTally } from './sound-tally.ts';

/** Packets of 20 ms from a sequence number on; each entry is how late it comes, undefined: never. */
function heard(first: number, delays: readonly (number | undefined)[]): ReturnType<SoundTally['figures']> {
  const tally = new SoundTally();
  for (const [index, delay] of delays.entries()) {
    if (delay === undefined) continue;
    const packet = { sequence: (first + index) & 0xffff, timestamp: (0xffff_ff00 + index * 160) >>> 0 };
    tally.add(packet, 1_000 + index * 20 + delay);
  }
  return tally.figures();
}

test('finds nothing wrong with a stream on its beat, over both wraps', () => {
  assert.deepEqual(heard(0xfffe, [5, 5, 5, 5, 5]), { received: 5, lost: 0, late: 0 });
});

test('counts packets that never came', () => {
  assert.deepEqual(heard(7, [0, undefined, undefined, 0, 0]), { received: 3, lost: 2, late: 0 });
});

test('counts packets that come later than a listener waits', () => {
  assert.deepEqual(heard(7, [0, 59, 61, 0, 100]), { received: 5, lost: 0, late: 2 });
});

test('a stream that never came has nothing to tell', () => {
  assert.deepEqual(heard(7, [undefined]), { received: 0, lost: 0, late: 0 });
});
