import { readFileSync, writeFileSync } from 'node:fs';

// An oracle of its own: what the program wrote or played is not judged by the program's own reader.

/** Samples of each channel between -1 and 1. */
export interface Sound {
  readonly sampleRate: number;
  readonly channels: readonly Float64Array[];
}

const HEADER_BYTES = 44;
const FORMAT_PCM = 1;
const FORMAT_MULAW = 7;
const FORMAT_EXTENSIBLE = 0xfffe;

/** Reads 16-bit PCM and mu-law. A data size beyond the end (a writer that was streaming) means "up to the end". */
export function readWav(from: string | Uint8Array): Sound {
  const bytes = Buffer.from(typeof from === 'string' ? readFileSync(from) : from);
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error(`not a WAV: ${bytes.length} bytes that begin with ${bytes.toString('hex', 0, 12)}`);
  }
  let format: { kind: number; channels: number; sampleRate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + size));
    if (id === 'fmt ') {
      const kind = body.readUInt16LE(0);
      format = {
        kind: kind === FORMAT_EXTENSIBLE ? body.readUInt16LE(24) : kind,
        channels: body.readUInt16LE(2),
        sampleRate: body.readUInt32LE(4),
        bits: body.readUInt16LE(14),
      };
    }
    if (id === 'data' && format !== undefined) return split(decode(body, format.kind, format.bits), format);
    at += 8 + size + (size % 2);
  }
  throw new Error('a WAV without sound: want a "fmt " chunk and a "data" chunk');
}

function decode(body: Buffer, kind: number, bits: number): Float64Array {
  if (kind === FORMAT_PCM && bits === 16) {
    return Float64Array.from({ length: body.length >> 1 }, (_, i) => body.readInt16LE(2 * i) / 32_768);
  }
  if (kind === FORMAT_MULAW) return Float64Array.from(body, (byte) => decodeMulaw(byte) / 32_768);
  throw new Error(`a WAV of format ${kind} with ${bits} bits: want 16-bit PCM or mu-law`);
}

function split(samples: Float64Array, format: { channels: number; sampleRate: number }): Sound {
  const { channels, sampleRate } = format;
  const length = Math.floor(samples.length / channels);
  return {
    sampleRate,
    channels: Array.from({ length: channels }, (_, channel) =>
      Float64Array.from({ length }, (_, i) => samples[i * channels + channel] as number),
    ),
  };
}

/** The only channel of a mono sound. */
export function mono(sound: Sound): Float64Array {
  const [only, ...others] = sound.channels;
  if (only === undefined || others.length > 0) throw new Error(`${sound.channels.length} channels: want one`);
  return only;
}

export interface ToneOptions {
  readonly hertz: number;
  readonly seconds: number;
  readonly sampleRate?: number;
  /** Peak, 1 is full scale. */
  readonly amplitude?: number;
}

export function toneSamples({ hertz, seconds, sampleRate = 8000, amplitude = 0.4 }: ToneOptions): Float64Array {
  const step = (2 * Math.PI * hertz) / sampleRate;
  return Float64Array.from({ length: Math.round(seconds * sampleRate) }, (_, i) => amplitude * Math.sin(step * i));
}

/** A mono WAV of 16-bit PCM. */
export function encodeWav(samples: Float64Array, sampleRate = 8000): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + 2 * samples.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(FORMAT_PCM, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * samples.length, 40);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.max(-1, Math.min(1, samples[i] as number));
    bytes.writeInt16LE(Math.round(value * 32_767), HEADER_BYTES + 2 * i);
  }
  return bytes;
}

export function writeToneWav(path: string, options: ToneOptions): void {
  writeFileSync(path, encodeWav(toneSamples(options), options.sampleRate));
}

/** What a telephone line of G.711 mu-law makes of samples at 8 kHz. */
export function throughMulaw(samples: Float64Array): Float64Array {
  return samples.map((value) => decodeMulaw(encodeMulaw(Math.round(value * 32_768))) / 32_768);
}

const MULAW_BIAS = 0x84;
const MULAW_CLIP = 32_635;

// ITU-T G.711: sign, 3 bits of segment, 4 bits of place in it, all inverted on the line.
function encodeMulaw(sample: number): number {
  const magnitude = Math.min(MULAW_CLIP, Math.abs(sample)) + MULAW_BIAS;
  const segment = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

function decodeMulaw(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = ((((value & 0x0f) << 3) + MULAW_BIAS) << ((value & 0x70) >> 4)) - MULAW_BIAS;
  return (value & 0x80) === 0 ? magnitude : -magnitude;
}
