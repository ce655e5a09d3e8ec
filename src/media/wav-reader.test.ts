import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseWav, readWavMono, wavFrames, type WavFormat } from './wav-reader.ts';

interface Described {
  readonly tag: number;
  readonly bits: number;
  readonly channels?: number;
  readonly sampleRate?: number;
  readonly data: Uint8Array;
  readonly extensible?: boolean;
  readonly before?: readonly (readonly [name: string, bytes: Uint8Array])[];
  readonly dataSize?: number;
  readonly riffSize?: number;
}

function chunk(name: string, bytes: Uint8Array, size = bytes.length): Uint8Array {
  const out = new Uint8Array(8 + bytes.length + (bytes.length % 2));
  out.set(new TextEncoder().encode(name));
  new DataView(out.buffer).setUint32(4, size, true);
  out.set(bytes, 8);
  return out;
}

function wav(file: Described): Uint8Array {
  const { tag, bits, channels = 1, sampleRate = 8000, extensible = false, before = [] } = file;
  const format = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  const block = channels * Math.ceil(bits / 8);
  format.setUint16(0, extensible ? 0xfffe : tag, true);
  format.setUint16(2, channels, true);
  format.setUint32(4, sampleRate, true);
  format.setUint32(8, sampleRate * block, true);
  format.setUint16(12, block, true);
  format.setUint16(14, bits, true);
  if (extensible) format.setUint16(24, tag, true);
  const parts = [
    ...before.map(([name, bytes]) => chunk(name, bytes)),
    chunk('fmt ', new Uint8Array(format.buffer)),
    chunk('data', file.data, file.dataSize),
  ];
  const body = Uint8Array.from(
    ['WAVE'].flatMap((name) => [...new TextEncoder().encode(name)]).concat(parts.flatMap((part) => [...part])),
  );
  return chunk('RIFF', body, file.riffSize);
}

function read(bytes: Uint8Array): number[] {
  const parsed = parseWav(bytes);
  assert.equal(parsed.kind, 'ok', JSON.stringify(parsed));
  const format = (parsed as { readonly value: WavFormat }).value;
  const samples = new Float32Array(wavFrames(format));
  assert.equal(readWavMono(bytes, format, 0, samples), samples.length);
  return [...samples];
}

function reason(bytes: Uint8Array): string {
  const parsed = parseWav(bytes);
  return parsed.kind === 'bad' ? parsed.reason : parsed.kind;
}

const sixteen = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer);

test('reads PCM of 8, 16, 24 and 32 bits', () => {
  assert.deepEqual(read(wav({ tag: 1, bits: 8, data: Uint8Array.of(0, 128, 192) })), [-1, 0, 0.5]);
  assert.deepEqual(read(wav({ tag: 1, bits: 16, data: sixteen(-32_768, 16_384) })), [-1, 0.5]);
  assert.deepEqual(read(wav({ tag: 1, bits: 24, data: Uint8Array.of(0, 0, 0x80, 0, 0, 0x40) })), [-1, 0.5]);
  assert.deepEqual(read(wav({ tag: 1, bits: 32, data: Uint8Array.of(0, 0, 0, 0x80, 0, 0, 0, 0x40) })), [-1, 0.5]);
});

test('reads floats, with what is no number or too large made harmless', () => {
  const data = new Uint8Array(Float32Array.of(0.25, -0.5, 7, NaN, -Infinity).buffer);
  assert.deepEqual(read(wav({ tag: 3, bits: 32, data })), [0.25, -0.5, 1, 0, -1]);
  assert.deepEqual(read(wav({ tag: 3, bits: 64, data: new Uint8Array(Float64Array.of(0.125).buffer) })), [0.125]);
});

test('reads mu-law and A-law', () => {
  assert.deepEqual(read(wav({ tag: 7, bits: 8, data: Uint8Array.of(0xff, 0x80) })), [0, 32_124 / 32_768]);
  assert.deepEqual(read(wav({ tag: 6, bits: 8, data: Uint8Array.of(0xaa, 0x2a) })), [
    32_256 / 32_768,
    -32_256 / 32_768,
  ]);
});

test('takes the mean of all channels', () => {
  assert.deepEqual(read(wav({ tag: 1, bits: 16, channels: 2, data: sixteen(16_384, -16_384, 8192, 8192) })), [0, 0.25]);
});

test('finds the encoding of WAVE_FORMAT_EXTENSIBLE in its subformat', () => {
  assert.deepEqual(
    read(wav({ tag: 3, bits: 32, extensible: true, data: new Uint8Array(Float32Array.of(0.5).buffer) })),
    [0.5],
  );
});

test('steps over other chunks, with odd lengths too', () => {
  const before = [
    ['LIST', Uint8Array.of(1, 2, 3)],
    ['bext', new Uint8Array(602)],
  ] as const;
  assert.deepEqual(read(wav({ tag: 1, bits: 16, before, data: sixteen(16_384) })), [0.5]);
});

for (const size of [0x7fff_f000, 0xffff_ffff, 1000]) {
  test(`reads to the end of the file when the data claims ${size} bytes`, () => {
    assert.deepEqual(read(wav({ tag: 1, bits: 16, data: sixteen(16_384, -16_384), dataSize: size })), [0.5, -0.5]);
  });
}

test('takes a size of 0 in both places as unknown, in the data alone as empty', () => {
  assert.deepEqual(read(wav({ tag: 1, bits: 16, data: sixteen(16_384), dataSize: 0, riffSize: 0 })), [0.5]);
  assert.deepEqual(read(wav({ tag: 1, bits: 16, data: sixteen(16_384), dataSize: 0 })), []);
});

test('drops half a frame at the end', () => {
  assert.deepEqual(read(wav({ tag: 1, bits: 16, channels: 2, data: Uint8Array.of(0, 64, 0, 64, 9, 9) })), [0.5]);
});

test('says what it cannot read', () => {
  assert.match(reason(new TextEncoder().encode('hello, this is no sound at all')), /no RIFF/);
  assert.match(reason(wav({ tag: 0x55, bits: 16, data: sixteen(1) })), /encoding 85/);
  assert.match(reason(wav({ tag: 1, bits: 16, channels: 200, data: sixteen(1) })), /200 channels/);
  assert.match(reason(wav({ tag: 1, bits: 16, sampleRate: 10, data: sixteen(1) })), /10 samples a second/);
  assert.match(reason(wav({ tag: 1, bits: 12 + 32, data: sixteen(1) })), /44 bits/);
  assert.match(reason(wav({ tag: 1, bits: 16, data: sixteen(1) }).subarray(0, 36)), /no data chunk/);
  assert.match(reason(wav({ tag: 1, bits: 16, data: sixteen(1) }).subarray(0, 14)), /no fmt chunk/);
});

test('never throws, and never reads outside the file', () => {
  const good = wav({ tag: 1, bits: 16, channels: 2, before: [['LIST', new Uint8Array(5)]], data: sixteen(1, 2, 3, 4) });
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(damage, fc.nat(good.length), (changes, length) => {
      const bytes = good.slice(0, length);
      for (const [at, value] of changes) if (at < length) bytes[at] = value;
      const parsed = parseWav(bytes);
      if (parsed.kind !== 'ok') return;
      assert.ok(parsed.value.dataEnd <= bytes.length);
      readWavMono(bytes, parsed.value, 0, new Float32Array(wavFrames(parsed.value)));
    }),
    { numRuns: 1000 },
  );
});
