import { randomInteger, type Random } from '../../src/base/random.ts';
import { bytesOf, type FuzzTarget } from './fuzz-target.ts';

const MAX_STEPS = 6;
const MAX_PIECE_BYTES = 64;
const MAX_COPIES = 200;
/** Where two readers disagree, or a count overflows. */
const NUMBERS = [
  ...['0', '-1', '1', '00', '65535', '65536', '2147483647', '2147483648', '4294967295', '4294967296'],
  ...['9007199254740993', '99999999999999999999999', '1e9', '0x10', '٣', ' 1', '+1'],
].map(bytesOf);
const ODD_BYTES = [0, 9, 10, 13, 32, 34, 37, 38, 39, 44, 58, 59, 60, 61, 62, 64, 91, 92, 93, 127, 128, 0xc0, 0xff];

type Mutation = (input: Uint8Array, random: Random, target: FuzzTarget) => Uint8Array;

/** An input of the pool, changed a few times. */
export function mutate(pool: readonly Uint8Array[], random: Random, target: FuzzTarget): Uint8Array {
  let bytes = pick(pool, random);
  for (let steps = randomInteger(random, 1, MAX_STEPS); steps > 0; steps -= 1) {
    const mutation = randomInteger(random, 0, 9) === 0 ? splice(pool) : pick(MUTATIONS, random);
    bytes = mutation(bytes, random, target).subarray(0, target.maxBytes);
  }
  return bytes;
}

const MUTATIONS: readonly Mutation[] = [
  // A byte becomes another, one with a meaning, or has one bit turned.
  (input, random) => changed(input, random, () => randomInteger(random, 0, 255)),
  (input, random) => changed(input, random, () => pick(ODD_BYTES, random)),
  (input, random) => changed(input, random, (byte) => byte ^ (1 << randomInteger(random, 0, 7))),
  // Cut off at the end, or something cut out.
  (input, random) => input.subarray(0, place(input, random)),
  (input, random) => replaced(input, random, new Uint8Array(0), MAX_PIECE_BYTES),
  // A word of the grammar, a boundary number, random bytes.
  (input, random, { words }) =>
    words.length === 0 ? input : replaced(input, random, bytesOf(pick(words, random)), randomInteger(random, 0, 8)),
  (input, random) => replacedNumber(input, random),
  (input, random) => replaced(input, random, random.bytes(randomInteger(random, 1, 8)), 0),
  // A piece again, once or many times.
  (input, random) => repeated(input, random, 1),
  (input, random) => repeated(input, random, randomInteger(random, 2, MAX_COPIES)),
];

function splice(pool: readonly Uint8Array[]): Mutation {
  return (input, random) => {
    const other = pick(pool, random);
    return joined(input.subarray(0, place(input, random)), other.subarray(place(other, random)));
  };
}

function changed(input: Uint8Array, random: Random, to: (byte: number) => number): Uint8Array {
  if (input.length === 0) return input;
  const bytes = Uint8Array.from(input);
  const at = randomInteger(random, 0, bytes.length - 1);
  bytes[at] = to(bytes[at] as number);
  return bytes;
}

function replaced(input: Uint8Array, random: Random, by: Uint8Array, maxCut: number): Uint8Array {
  const at = place(input, random);
  const cut = maxCut === 0 ? 0 : randomInteger(random, 0, maxCut);
  return joined(input.subarray(0, at), by, input.subarray(at + cut));
}

/** The run of digits at or behind a random place becomes a boundary number. */
function replacedNumber(input: Uint8Array, random: Random): Uint8Array {
  const isDigit = (at: number): boolean => (input[at] ?? 0) >= 48 && (input[at] ?? 0) <= 57;
  let start = place(input, random);
  while (start < input.length && !isDigit(start)) start += 1;
  let end = start;
  while (isDigit(end)) end += 1;
  return joined(input.subarray(0, start), pick(NUMBERS, random), input.subarray(end));
}

function repeated(input: Uint8Array, random: Random, copies: number): Uint8Array {
  const at = place(input, random);
  const piece = input.subarray(at, at + randomInteger(random, 1, MAX_PIECE_BYTES));
  return joined(input.subarray(0, at), ...Array<Uint8Array>(copies).fill(piece), input.subarray(at));
}

function place(input: Uint8Array, random: Random): number {
  return randomInteger(random, 0, input.length);
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export function pick<T>(list: readonly T[], random: Random): T {
  return list[randomInteger(random, 0, list.length - 1)] as T;
}
