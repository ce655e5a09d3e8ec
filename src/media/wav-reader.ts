import type { Parsed } from '../base/parsed.ts';
import { decodeG711 } from '../wire/sound/g711.ts';

export type WavEncoding = 'pcm' | 'float' | 'mulaw' | 'alaw';

export interface WavFormat {
  readonly encoding: WavEncoding;
  readonly channels: number;
  readonly sampleRate: number;
  /** Of one sample of one channel, as stored. */
  readonly sampleBytes: number;
  /** One sample of every channel. */
  readonly frameBytes: number;
  /** The sound in the file; `dataEnd` is within the file whatever the header claims, and on a whole frame. */
  readonly dataStart: number;
  readonly dataEnd: number;
}

const MAX_CHUNKS = 1000;
const MAX_CHANNELS = 32;
const LOWEST_RATE = 1000;
const HIGHEST_RATE = 384_000;
const FORMAT_BYTES = 16;
const EXTENSIBLE = 0xfffe;
const ENCODINGS: ReadonlyMap<number, WavEncoding> = new Map([
  [1, 'pcm'],
  [3, 'float'],
  [6, 'alaw'],
  [7, 'mulaw'],
]);
const SAMPLE_BYTES: Readonly<Record<WavEncoding, readonly number[]>> = {
  pcm: [1, 2, 3, 4],
  float: [4, 8],
  mulaw: [1],
  alaw: [1],
};

type Encoded = Omit<WavFormat, 'dataStart' | 'dataEnd'>;

/** Whether the bytes claim to be a WAV file. */
export function isWav(bytes: Uint8Array): boolean {
  const kind = name(bytes, 0);
  return bytes.length >= 12 && (kind === 'RIFF' || kind === 'RF64') && name(bytes, 8) === 'WAVE';
}

/** Reads the header of a WAV file that is wholly in memory. Never `need-more`: a file cut short ends where it ends. */
export function parseWav(bytes: Uint8Array): Parsed<WavFormat> {
  if (!isWav(bytes)) return bad(0, 'no RIFF/WAVE header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Encoded | undefined;
  let at = 12;
  for (let chunk = 0; chunk < MAX_CHUNKS && at + 8 <= bytes.length; chunk++) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    const chunkName = name(bytes, at);
    if (chunkName === 'fmt ') {
      const parsed = parseFormat(view, body, size);
      if (parsed.kind !== 'ok') return parsed;
      format = parsed.value;
    } else if (chunkName === 'data') {
      if (format === undefined) return bad(at, 'the data chunk comes before the fmt chunk');
      // Writers to a pipe leave 0, 0x7ffff000 or 0xffffffff: the sound then ends with the file.
      const unknown = size === 0 && view.getUint32(4, true) === 0;
      const stored = Math.min(unknown ? Infinity : size, bytes.length - body);
      const dataEnd = body + stored - (stored % format.frameBytes);
      return { kind: 'ok', value: { ...format, dataStart: body, dataEnd }, used: dataEnd };
    }
    // Chunks start on even offsets.
    at = body + size + (size % 2);
  }
  return bad(Math.min(at, bytes.length), format === undefined ? 'no fmt chunk' : 'no data chunk');
}

/** Number of frames (samples per channel). */
export function wavFrames(format: WavFormat): number {
  return (format.dataEnd - format.dataStart) / format.frameBytes;
}

/** Decodes frames from `fromFrame` on into `into`, mean of all channels, -1 to 1. Returns how many there were. */
export function readWavMono(bytes: Uint8Array, format: WavFormat, fromFrame: number, into: Float32Array): number {
  const count = Math.max(0, Math.min(into.length, wavFrames(format) - fromFrame));
  const read = sampleReader(bytes, format);
  let at = format.dataStart + fromFrame * format.frameBytes;
  for (let frame = 0; frame < count; frame++) {
    let sum = 0;
    for (let channel = 0; channel < format.channels; channel++, at += format.sampleBytes) sum += read(at);
    into[frame] = sum / format.channels;
  }
  return count;
}

function parseFormat(view: DataView, at: number, size: number): Parsed<Encoded> {
  if (size < FORMAT_BYTES || at + FORMAT_BYTES > view.byteLength) return bad(at, 'fmt chunk cut short');
  let tag = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const blockBytes = view.getUint16(at + 12, true);
  const bits = view.getUint16(at + 14, true);
  // WAVE_FORMAT_EXTENSIBLE: the real tag starts the subformat's id.
  if (tag === EXTENSIBLE && size >= 26 && at + 26 <= view.byteLength) tag = view.getUint16(at + 24, true);
  const encoding = ENCODINGS.get(tag);
  if (encoding === undefined) return bad(at, `WAV encoding ${tag}: want PCM (1), float (3), A-law (6) or mu-law (7)`);
  if (channels < 1 || channels > MAX_CHANNELS) return bad(at + 2, `${channels} channels: want 1 to ${MAX_CHANNELS}`);
  if (sampleRate < LOWEST_RATE || sampleRate > HIGHEST_RATE) {
    return bad(at + 4, `${sampleRate} samples a second: want ${LOWEST_RATE} to ${HIGHEST_RATE}`);
  }
  // 20 bits may be stored in 3 or 4 bytes: the block size says which.
  const sampleBytes = blockBytes % channels === 0 ? blockBytes / channels : 0;
  if (!SAMPLE_BYTES[encoding].includes(sampleBytes) || bits > sampleBytes * 8) {
    return bad(at + 12, `${bits} bits in blocks of ${blockBytes} bytes for ${channels} channels of ${encoding}`);
  }
  return { kind: 'ok', value: { encoding, channels, sampleRate, sampleBytes, frameBytes: blockBytes }, used: size };
}

function sampleReader(bytes: Uint8Array, format: WavFormat): (at: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format.encoding) {
    case 'mulaw':
    case 'alaw': {
      const table = new Int16Array(256);
      const codes = Uint8Array.from({ length: 256 }, (_, code) => code);
      decodeG711(format.encoding === 'mulaw' ? 'PCMU' : 'PCMA', codes, table);
      return (at) => (table[bytes[at] as number] as number) / 32_768;
    }
    case 'float':
      return format.sampleBytes === 8
        ? (at) => finite(view.getFloat64(at, true))
        : (at) => finite(view.getFloat32(at, true));
    case 'pcm':
      return pcmReader(view, format.sampleBytes);
    default:
      return format.encoding satisfies never;
  }
}

function pcmReader(view: DataView, sampleBytes: number): (at: number) => number {
  switch (sampleBytes) {
    case 1: // 8-bit WAV is unsigned.
      return (at) => (view.getUint8(at) - 128) / 128;
    case 2:
      return (at) => view.getInt16(at, true) / 32_768;
    case 3:
      return (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608;
    default:
      return (at) => view.getInt32(at, true) / 2_147_483_648;
  }
}

/** Not-a-number and out-of-range floats must not spread through the filters. */
function finite(value: number): number {
  return value >= -1 && value <= 1 ? value : value > 1 ? 1 : value < -1 ? -1 : 0;
}

function name(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function bad(offset: number, reason: string): Extract<Parsed<never>, { kind: 'bad' }> {
  return { kind: 'bad', offset, reason };
}
