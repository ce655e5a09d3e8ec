/** Randomness as a port, so that a seed repeats a run. */
export interface Random {
  bytes(count: number): Uint8Array;
}

/** Asked for at once: a call to the generator costs more than the bytes do. */
const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let poolUsed = POOL_BYTES;

/** The system's cryptographic generator. */
export const systemRandom: Random = {
  bytes(count) {
    if (count > POOL_BYTES) return crypto.getRandomValues(new Uint8Array(count));
    if (poolUsed + count > POOL_BYTES) {
      crypto.getRandomValues(pool);
      poolUsed = 0;
    }
    const taken = pool.slice(poolUsed, poolUsed + count);
    // What was handed out may be a secret: no copy of it stays here.
    pool.fill(0, poolUsed, poolUsed + count);
    poolUsed += count;
    return taken;
  },
};

/** A repeatable generator for tests and virtual time; never for secrets. Algorithm: mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff) };
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `count` random bytes as lower-case hexadecimal. */
export function randomHex(random: Random, count: number): string {
  let text = '';
  for (const byte of random.bytes(count)) text += HEX[byte];
  return text;
}

/** A number in [0, 1) with 32 bits of randomness. */
export function randomUnit(random: Random): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 0x1_0000_0000;
}

/** A whole number in [low, high]; the span may be at most 2^32. */
export function randomInteger(random: Random, low: number, high: number): number {
  return low + Math.floor(randomUnit(random) * (high - low + 1));
}
