import assert from 'node:assert/strict';
import { randomInteger, type Random } from '../../../src/base/random.ts';
import { decodeSound } from '../../../src/media/audio-file.ts';
import { MediaError } from '../../../src/media/media-error.ts';
import { MP3 } from '../../../src/media/mp3.fixture.ts';
import { decodeMp3, isMp3 } from '../../../src/media/mp3.ts';
import { parseWav, readWavMono, wavFrames } from '../../../src/media/wav-reader.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { pick } from '../mutate.ts';

const MAX_SECONDS = 60;
const SAMPLE_RATE = 8000;

interface WavParts {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
  readonly data: Uint8Array;
}

function wavOf({ tag, channels, rate, bits, data }: WavParts, size = data.length): Uint8Array {
  const bytes = Buffer.alloc(44 + data.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE((36 + size) >>> 0, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(tag, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE((rate * channels * bits) >>> 3, 28);
  bytes.writeUInt16LE(((channels * bits) >> 3) & 0xffff, 32);
  bytes.writeUInt16LE(bits, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(size >>> 0, 40);
  bytes.set(data, 44);
  return bytes;
}

const SAMPLES = Uint8Array.from({ length: 400 }, (_, at) => (at * 37) & 0xff);
const WAVS = [
  wavOf({ tag: 1, channels: 1, rate: 8000, bits: 16, data: SAMPLES }),
  wavOf({ tag: 1, channels: 2, rate: 44_100, bits: 24, data: SAMPLES }),
  wavOf({ tag: 1, channels: 1, rate: 11_025, bits: 8, data: SAMPLES }),
  wavOf({ tag: 3, channels: 1, rate: 48_000, bits: 32, data: SAMPLES }),
  wavOf({ tag: 3, channels: 2, rate: 1000, bits: 64, data: SAMPLES }),
  wavOf({ tag: 6, channels: 1, rate: 8000, bits: 8, data: SAMPLES }),
  wavOf({ tag: 7, channels: 32, rate: 384_000, bits: 8, data: SAMPLES }, 0xffff_ffff),
];

function wav(random: Random): Uint8Array {
  const parts = {
    tag: pick([1, 1, 1, 3, 6, 7, 0xfffe, 85], random),
    channels: pick([1, 2, 3, 32, 0, 65_535], random),
    rate: pick([8000, 1000, 999, 11_025, 44_100, 48_000, 384_000, 0, 4_294_967_295], random),
    bits: pick([8, 16, 24, 32, 64, 12, 0], random),
    data: random.bytes(randomInteger(random, 0, 300)),
  };
  return wavOf(parts, pick([parts.data.length, 0, 1, 0x7fff_f000, 0xffff_ffff], random));
}

/** A sound, or an error that says what was found instead; never longer than was allowed. */
async function decode(bytes: Uint8Array, path: string): Promise<Int16Array | undefined> {
  try {
    const samples = await decodeSound(bytes, { path, sampleRate: SAMPLE_RATE, maxSeconds: MAX_SECONDS });
    assert.ok(samples.length > 0 && samples.length <= (MAX_SECONDS + 1) * SAMPLE_RATE, `${samples.length} samples`);
    return samples;
  } catch (error) {
    assert.ok(error instanceof MediaError && error.code === 'bad-audio', error as Error);
    return undefined;
  }
}

export const wavFile: FuzzTarget = {
  name: 'wav',
  covers: '/src/media/',
  corpus: WAVS,
  words: ['RIFF', 'RF64', 'WAVE', 'fmt ', 'data', 'LIST', '\0\0\0\0', '\u00ff', 'ds64'],
  generate: wav,
  repetitions: [
    { before: 'RIFF\0\0\0\0WAVE', unit: 'LIST\0\0\0\0' },
    { before: 'RIFF\0\0\0\0WAVE', unit: 'LIST' },
  ],
  maxBytes: 20_000,
  // The lowest rate makes a long sound of few bytes.
  maxMs: 200,
  check: async (bytes) => {
    const parsed = parseWav(bytes);
    if (parsed.kind === 'ok') {
      const { dataStart, dataEnd, frameBytes } = parsed.value;
      assert.ok(dataStart <= dataEnd && dataEnd <= bytes.length && frameBytes > 0);
      const frames = wavFrames(parsed.value);
      assert.ok(Number.isInteger(frames) && frames >= 0);
      const into = new Float32Array(Math.min(frames, 64));
      readWavMono(bytes, parsed.value, 0, into);
      assert.ok(into.every((value) => value >= -1 && value <= 1));
    }
    if (bytes[0] === 0x52) await decode(bytes, 'fuzz.wav');
  },
};

const TAG = Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\0\x05hello', 'latin1'), MP3]);

export const mp3File: FuzzTarget = {
  name: 'mp3',
  covers: '/src/media/',
  corpus: [MP3, TAG, MP3.subarray(100), Buffer.concat([MP3, MP3])],
  words: ['ID3\x03\0\0', 'TAG', 'Xing', 'Info', 'LAME', 'VBRI'],
  generate: (random) => {
    const bytes = Uint8Array.from(random.bytes(randomInteger(random, 4, 2000)));
    // A frame header, so that the decoder begins.
    bytes.set([0xff, 0xe0 | (bytes[1] ?? 0), bytes[2] ?? 0, bytes[3] ?? 0]);
    return bytes;
  },
  repetitions: [{ unit: 'ID3' }, { before: 'ID3\x03\0\0\x7f\x7f\x7f\x7f', unit: 'a' }],
  maxBytes: 20_000,
  // Each file has a decoder of its own, whose start takes some milliseconds.
  maxMs: 300,
  check: async (bytes) => {
    if (!isMp3(bytes)) return;
    let pieces = 0;
    for await (const { samples, sampleRate } of decodeMp3(bytes)) {
      assert.ok(sampleRate >= SAMPLE_RATE && sampleRate <= 48_000, `sample rate ${sampleRate}`);
      assert.ok(
        samples.every((value) => Number.isFinite(value)),
        'a sample is no number',
      );
      pieces += 1;
    }
    const heard = await decode(bytes, 'fuzz.mp3');
    assert.ok(pieces > 0 || heard === undefined);
  },
};
