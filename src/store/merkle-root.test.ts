import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MerkleRoot } from './merkle-root.ts';

const sample = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);
const rootOf = (...chunks: readonly Uint8Array[]): string => {
  const root = new MerkleRoot();
  for (const chunk of chunks) root.update(chunk);
  return root.finish();
};
const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

/** The definition, level by level, with the whole tree in memory. */
function definedRoot(bytes: Uint8Array): string {
  const count = Math.ceil(bytes.length / 16_384);
  let level: Uint8Array[] = Array.from({ length: count }, (_, n) =>
    sha256(bytes.subarray(n * 16_384, (n + 1) * 16_384)),
  );
  while (level.length & (level.length - 1)) level.push(new Uint8Array(32));
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, n) =>
      sha256(level[2 * n] as Uint8Array, level[2 * n + 1] as Uint8Array),
    );
  }
  return Buffer.from(level[0] ?? new Uint8Array(32)).toString('hex');
}

describe('MerkleRoot', () => {
  it('gives the roots that another implementation (Python, hashlib) gives', () => {
    const vectors: readonly (readonly [number, string])[] = [
      [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
      [16_384, '5252abae92836caa122f8d6c078aa2487dc32b17e1b204a7cc022809faebc192'],
      [16_385, '831c51b911745d225c3ef7ddaaeb0971d93962202f8bd82789db755f86fb5a49'],
      [49_152, '22bf1c287c87f4d16e2f2ddb6e6764a63e9a0380a39d610e45622575909f713f'],
      [100_000, 'a61f2da045dde32ea6426a18b0d05e483d7686473b1dacbd9cc24e56caa4770d'],
      [1_000_000, 'f4d918d826a10002b0b698e2594dfc757fb049f7653708a5a96e5b9fb578fd0d'],
    ];
    for (const [length, root] of vectors) assert.equal(rootOf(sample(length)), root, `${length} bytes`);
  });

  it('the root of no bytes is zero', () => {
    assert.equal(rootOf(), '0'.repeat(64));
    assert.equal(rootOf(new Uint8Array()), '0'.repeat(64));
  });

  it('follows the definition for every number of blocks', () => {
    const bytes = sample(20 * 16_384);
    for (let blocks = 1; blocks <= 20; blocks += 1) {
      for (const length of [blocks * 16_384, blocks * 16_384 - 1]) {
        const part = bytes.subarray(0, length);
        assert.equal(rootOf(part), definedRoot(part), `${length} bytes`);
      }
    }
  });

  it('does not depend on how the bytes arrive', () => {
    const bytes = sample(100_000);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, n) => bytes.subarray(edges[n], end));
        assert.equal(rootOf(...chunks), 'a61f2da045dde32ea6426a18b0d05e483d7686473b1dacbd9cc24e56caa4770d');
      }),
      { numRuns: 30 },
    );
  });
});
