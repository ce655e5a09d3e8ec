import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeG711, encodeG711, G711_SILENCE, type G711Codec } from './g711.ts';

function decodeOne(codec: G711Codec, byte: number): number {
  const sample = new Int16Array(1);
  decodeG711(codec, Uint8Array.of(byte), sample);
  return sample[0] as number;
}

function encodeOne(codec: G711Codec, sample: number): number {
  const byte = new Uint8Array(1);
  encodeG711(codec, Int16Array.of(sample), byte);
  return byte[0] as number;
}

test('decodes the ends of every mu-law segment as table 2a of G.711 says', () => {
  // 14-bit values of the recommendation, times four.
  const expected: readonly (readonly [number, number])[] = [
    ...([
      [0x80, 8031],
      [0x8f, 4191],
      [0x9f, 2079],
      [0xaf, 1023],
      [0xbf, 495],
      [0xcf, 231],
      [0xdf, 99],
      [0xef, 33],
      [0xff, 0],
    ] as const),
  ];
  for (const [byte, value] of expected) {
    assert.equal(decodeOne('PCMU', byte), value * 4);
    assert.equal(decodeOne('PCMU', byte & 0x7f), value === 0 ? 0 : value * -4);
  }
});

test('decodes the ends of every A-law segment as table 1a of G.711 says', () => {
  // 13-bit values of the recommendation, times eight; the even bits are inverted on the line.
  const expected = [
    [0xff, 4032],
    [0xf0, 2112],
    [0xe0, 1056],
    [0xd0, 528],
    [0xc0, 264],
    [0xb0, 132],
    [0xa0, 66],
    [0x80, 1],
  ] as const;
  for (const [code, value] of expected) {
    assert.equal(decodeOne('PCMA', code ^ 0x55), value * 8);
    assert.equal(decodeOne('PCMA', (code & 0x7f) ^ 0x55), value * -8);
  }
});

for (const codec of ['PCMU', 'PCMA'] as const) {
  test(`${codec}: every byte survives decoding and encoding`, () => {
    for (let byte = 0; byte < 256; byte++) {
      // Mu-law has two zeros; the negative one becomes the positive.
      const expected = codec === 'PCMU' && byte === 0x7f ? 0xff : byte;
      assert.equal(encodeOne(codec, decodeOne(codec, byte)), expected);
    }
  });

  test(`${codec}: no sample moves by more than half a step of its segment`, () => {
    const levels = Array.from({ length: 256 }, (_, byte) => decodeOne(codec, byte)).sort((a, b) => a - b);
    // Beyond the outermost levels the recommendation clips: mu-law at 32635, A-law not before 16 bits end.
    for (let sample = -32_600; sample <= 32_600; sample += 7) {
      const level = decodeOne(codec, encodeOne(codec, sample));
      const place = levels.indexOf(level);
      const below = level - (levels[place - 1] ?? level - 1024);
      const above = (levels[place + 1] ?? level + 1024) - level;
      assert.ok(Math.abs(level - sample) <= Math.max(below, above) / 2 + 8, `${sample} became ${level}`);
    }
  });

  test(`${codec}: its silence is next to nothing`, () => {
    assert.ok(Math.abs(decodeOne(codec, G711_SILENCE[codec])) <= 8);
    assert.equal(encodeOne(codec, 0), G711_SILENCE[codec]);
  });
}

test('writes frames at an offset', () => {
  const bytes = new Uint8Array(6);
  assert.equal(encodeG711('PCMU', Int16Array.of(0, 32_767), bytes, 2), 2);
  assert.deepEqual([...bytes], [0, 0, 0xff, 0x80, 0, 0]);
  const samples = new Int16Array(4);
  assert.equal(decodeG711('PCMU', bytes.subarray(2, 4), samples, 1), 2);
  assert.deepEqual([...samples], [0, 0, 32_124, 0]);
});
