import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { randomHex, randomInteger, randomUnit, seededRandom, systemRandom } from './random.ts';

describe('random', () => {
  it('repeats itself for a seed, and only for that', () => {
    const run = (seed: number): string => randomHex(seededRandom(seed), 32);
    assert.equal(run(7), run(7));
    assert.notEqual(run(7), run(8));
    assert.notEqual(randomHex(systemRandom, 16), randomHex(systemRandom, 16));
  });

  it('gives as many bytes as were asked for, in hexadecimal twice as many digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 64 }), fc.integer(), (count, seed) => {
        assert.equal(seededRandom(seed).bytes(count).length, count);
        assert.match(randomHex(seededRandom(seed), count), new RegExp(`^[0-9a-f]{${count * 2}}$`));
      }),
    );
  });

  it('never gives the same bytes of the system twice, few or many at once', () => {
    const given = Array.from({ length: 2000 }, () => systemRandom.bytes(16)).map(String);
    assert.equal(new Set(given).size, given.length);
    for (const count of [0, 1, 4095, 4096, 4097, 10_000]) {
      const bytes = systemRandom.bytes(count);
      assert.equal(bytes.length, count);
      if (count > 1000) assert.ok(new Set(bytes).size > 200, `${count} bytes`);
    }
  });

  it('stays within its bounds and reaches both', () => {
    const random = seededRandom(1);
    const seen = new Set(Array.from({ length: 500 }, () => randomInteger(random, -2, 3)));
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [-2, -1, 0, 1, 2, 3],
    );
    for (let n = 0; n < 500; n += 1) {
      const unit = randomUnit(random);
      assert.ok(unit >= 0 && unit < 1);
    }
    assert.equal(randomInteger({ bytes: (count) => new Uint8Array(count).fill(255) }, 1, 6), 6);
    assert.equal(randomInteger({ bytes: (count) => new Uint8Array(count) }, 1, 6), 1);
  });

  it('is spread evenly', () => {
    const random = seededRandom(3);
    const counts = new Array<number>(10).fill(0);
    for (let n = 0; n < 10_000; n += 1) counts[randomInteger(random, 0, 9)]! += 1;
    for (const count of counts) assert.ok(count > 850 && count < 1_150, String(count));
  });
});
