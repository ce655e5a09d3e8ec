import { createHash } from 'node:crypto';

// BEP 52: files are cut into blocks of 16 KiB; the last one may be shorter and is hashed as it is.
const LEAF_BYTES = 16_384;
const HASH_BYTES = 32;

/**
 * SHA-256 merkle root of a byte stream (BEP 52 `pieces root`), in constant memory: one waiting hash for each level.
 * The root of no bytes, which BEP 52 leaves out, is 32 zero bytes.
 */
export class MerkleRoot {
  // waiting[k] is the root of a whole subtree of 2^k leaves whose right neighbour is still to come.
  readonly #waiting: (Uint8Array | undefined)[] = [];
  #leaf = createHash('sha256');
  #leafBytes = 0;

  update(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + LEAF_BYTES - this.#leafBytes);
      this.#leaf.update(bytes.subarray(start, end));
      this.#leafBytes += end - start;
      start = end;
      if (this.#leafBytes === LEAF_BYTES) this.#closeLeaf();
    }
  }

  /** The root as 64 lower-case hexadecimal digits; the object is spent. */
  finish(): string {
    if (this.#leafBytes > 0) this.#closeLeaf();
    return Buffer.from(this.#paddedRoot()).toString('hex');
  }

  #closeLeaf(): void {
    let hash: Uint8Array = this.#leaf.digest();
    let level = 0;
    for (let left = this.#waiting[level]; left !== undefined; left = this.#waiting[level]) {
      this.#waiting[level] = undefined;
      hash = pairHash(left, hash);
      level += 1;
    }
    this.#waiting[level] = hash;
    this.#leaf = createHash('sha256');
    this.#leafBytes = 0;
  }

  /** Fills the tree up to a power of two: leaves beyond the end of the file are zero hashes (BEP 52). */
  #paddedRoot(): Uint8Array {
    let padding: Uint8Array = new Uint8Array(HASH_BYTES);
    let root: Uint8Array | undefined;
    const top = this.#waiting.length - 1;
    for (const [level, left] of this.#waiting.entries()) {
      if (root !== undefined) root = left === undefined ? pairHash(root, padding) : pairHash(left, root);
      // The lowest subtree is the whole tree when it is the highest too, else the left half of its pair.
      else if (left !== undefined) root = level === top ? left : pairHash(left, padding);
      padding = pairHash(padding, padding);
    }
    return root ?? new Uint8Array(HASH_BYTES);
  }
}

function pairHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(left).update(right).digest();
}
