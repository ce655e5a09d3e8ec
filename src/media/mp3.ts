import { MPEGDecoder } from 'mpg123-decoder';

/** A piece of decoded sound: mono, -1 to 1. */
export interface DecodedPiece {
  readonly samples: Float32Array;
  readonly sampleRate: number;
}

/** About 0.1 s of sound at 128 kbit/s, decoded in about half a millisecond. */
const PIECE_BYTES = 2048;
const ID3_HEADER_BYTES = 10;
/** The first frame may stand behind padding, but not anywhere. */
const MAX_SEARCH_BYTES = 65_536;
const FRAME_HEADER_BYTES = 4;
/** Damaged places after which the rest is not tried: each one is a line that the decoder writes to standard error. */
const MAX_DAMAGES = 50;

/** Whether the bytes are MPEG audio: an ID3 tag, or two frame headers where the first says the second must be. */
export function isMp3(bytes: Uint8Array): boolean {
  return hasId3(bytes) || firstFrame(bytes, 0) >= 0;
}

/** Decodes a whole file piece by piece; yields nothing for bytes that hold no frame. Damaged frames are skipped, up to a number. */
export async function* decodeMp3(bytes: Uint8Array): AsyncGenerator<DecodedPiece> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    let damages = 0;
    for (let at = id3Bytes(bytes); at < bytes.length && damages < MAX_DAMAGES; at += PIECE_BYTES) {
      const decoded = decoder.decode(bytes.subarray(at, at + PIECE_BYTES));
      damages += decoded.errors.length;
      if (decoded.samplesDecoded > 0) yield { samples: mono(decoded.channelData), sampleRate: decoded.sampleRate };
    }
  } finally {
    decoder.free();
  }
}

function mono(channels: readonly Float32Array[]): Float32Array {
  const [left, right] = channels;
  if (left === undefined) return new Float32Array(0);
  if (right === undefined) return left;
  return left.map((value, i) => (value + (right[i] as number)) / 2);
}

function hasId3(bytes: Uint8Array): boolean {
  return bytes.length >= ID3_HEADER_BYTES && bytes[0] === 0x49 && bytes[1] === 0x44 && bytes[2] === 0x33;
}

/** Length of the ID3v2 tag in front, pictures included; 0 when there is none. */
function id3Bytes(bytes: Uint8Array): number {
  if (!hasId3(bytes)) return 0;
  // Four bytes of seven bits each.
  let size = 0;
  for (let i = 6; i < ID3_HEADER_BYTES; i++) size = size * 128 + ((bytes[i] as number) & 0x7f);
  return Math.min(bytes.length, ID3_HEADER_BYTES + size);
}

/** Offset of the first frame that is followed by another or by the end; -1 when there is none. */
function firstFrame(bytes: Uint8Array, from: number): number {
  const last = Math.min(bytes.length - FRAME_HEADER_BYTES, from + MAX_SEARCH_BYTES);
  for (let at = from; at <= last; at++) {
    const length = frameBytes(bytes, at);
    if (length === 0) continue;
    const next = at + length;
    if (next === bytes.length || (next + FRAME_HEADER_BYTES <= bytes.length && frameBytes(bytes, next) > 0)) return at;
  }
  return -1;
}

/** Kilobits a second by version and layer (ISO 11172-3 2.4.2.3, ISO 13818-3); index 0 is "free", refused. */
const BIT_RATES: Readonly<Record<string, readonly number[]>> = {
  'mpeg1-1': [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  'mpeg1-2': [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  'mpeg1-3': [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  'mpeg2-1': [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  'mpeg2-2': [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  'mpeg2-3': [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const RATES = [44_100, 48_000, 32_000];

/** Length of the frame whose header stands at `at`; 0 when there is no valid header. */
function frameBytes(bytes: Uint8Array, at: number): number {
  const one = bytes[at + 1] as number;
  const two = bytes[at + 2] as number;
  if (bytes[at] !== 0xff || (one & 0xe0) !== 0xe0) return 0;
  const version = (one >> 3) & 3; // 0: MPEG 2.5, 2: MPEG 2, 3: MPEG 1
  const layer = 4 - ((one >> 1) & 3); // 4 is reserved
  if (version === 1 || layer === 4) return 0;
  const bitRate = BIT_RATES[`${version === 3 ? 'mpeg1' : 'mpeg2'}-${layer}`]?.[two >> 4] ?? 0;
  const baseRate = RATES[(two >> 2) & 3];
  if (bitRate === 0 || baseRate === undefined) return 0;
  const rate = version === 3 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const padding = (two >> 1) & 1;
  if (layer === 1) return (Math.floor((12 * bitRate * 1000) / rate) + padding) * 4;
  const samples = layer === 3 && version !== 3 ? 576 : 1152;
  return Math.floor((samples * bitRate * 125) / rate) + padding;
}
