/** ITU-T G.711 by tables: 8 bits a sample, 16-bit linear inside. */
export type G711Codec = 'PCMU' | 'PCMA';

/** The byte that decodes to (almost) nothing: mu-law 0xff is 0, A-law 0xd5 is 8. */
export const G711_SILENCE: Readonly<Record<G711Codec, number>> = { PCMU: 0xff, PCMA: 0xd5 };

const MULAW_BIAS = 0x84;
const MULAW_CLIP = 32_635;

interface Tables {
  readonly decode: Int16Array;
  /** Indexed by the sample as an unsigned 16-bit number. */
  readonly encode: Uint8Array;
}

const tables: Readonly<Record<G711Codec, Tables>> = {
  PCMU: {
    decode: Int16Array.from({ length: 256 }, (_, byte) => mulawToLinear(byte)),
    encode: encoderOf(linearToMulaw),
  },
  PCMA: { decode: Int16Array.from({ length: 256 }, (_, byte) => alawToLinear(byte)), encode: encoderOf(linearToAlaw) },
};

/** Encodes all of `samples` into `into` from `at`; `into` has the room. Returns the number of bytes written. */
export function encodeG711(codec: G711Codec, samples: Int16Array, into: Uint8Array, at = 0): number {
  const { encode } = tables[codec];
  for (let i = 0; i < samples.length; i++) into[at + i] = encode[(samples[i] as number) & 0xffff] as number;
  return samples.length;
}

/** Decodes all of `bytes` into `into` from `at`; `into` has the room. Returns the number of samples written. */
export function decodeG711(codec: G711Codec, bytes: Uint8Array, into: Int16Array, at = 0): number {
  const { decode } = tables[codec];
  for (let i = 0; i < bytes.length; i++) into[at + i] = decode[bytes[i] as number] as number;
  return bytes.length;
}

function encoderOf(encode: (sample: number) => number): Uint8Array {
  return Uint8Array.from({ length: 65_536 }, (_, index) => encode((index << 16) >> 16));
}

function mulawToLinear(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + MULAW_BIAS) << ((code & 0x70) >> 4)) - MULAW_BIAS;
  return (code & 0x80) !== 0 ? -magnitude : magnitude;
}

function linearToMulaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), MULAW_CLIP) + MULAW_BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function alawToLinear(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code & 0x70) >> 4;
  const mantissa = ((code & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (code & 0x80) !== 0 ? magnitude : -magnitude;
}

function linearToAlaw(sample: number): number {
  // G.711 works on 13 bits: a negative value is the one's complement, so that -1 shares the first step below zero.
  const thirteen = sample >> 3;
  const sign = thirteen >= 0 ? 0x80 : 0;
  const magnitude = thirteen >= 0 ? thirteen : ~thirteen;
  const exponent = magnitude < 32 ? 0 : 27 - Math.clz32(magnitude);
  const mantissa = exponent === 0 ? magnitude >> 1 : (magnitude >> exponent) & 0x0f;
  return (sign | (exponent << 4) | (mantissa & 0x0f)) ^ 0x55;
}
