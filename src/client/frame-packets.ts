import { randomInteger, type Random } from '../base/random.ts';
import { buildRtpPacket, RtpPacketView } from '../wire/rtp/packet.ts';
import { decodeG711, encodeG711, type G711Codec } from '../wire/sound/g711.ts';
import { Resampler } from '../wire/sound/resample.ts';

/** Sound of 20 ms at 8 kHz in each packet. */
export const FRAME_RATE = 8000;
export const FRAME_SAMPLES = 160;
const MAX_16_BIT = 32_767;
/** Static payload types of G.711 (RFC 3551 6). */
const CODECS: Readonly<Record<number, G711Codec>> = { 0: 'PCMU', 8: 'PCMA' };
const PCMU = 0;

/** Sound of the microphone, at the browser's own rate, as RTP packets of mu-law. */
export class FramePacker {
  readonly #resampler: Resampler;
  readonly #ssrc: number;
  #sequence: number;
  #timestamp: number;
  #first = true;
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #filled = 0;

  constructor(sampleRate: number, random: Random) {
    this.#resampler = new Resampler(sampleRate, FRAME_RATE);
    // RFC 3550 5.1: all three begin anywhere.
    this.#ssrc = randomInteger(random, 0, 0xffff_ffff);
    this.#timestamp = randomInteger(random, 0, 0xffff_ffff);
    this.#sequence = randomInteger(random, 0, 0xffff);
  }

  /** The packets that these samples complete. */
  push(samples: Float32Array): readonly Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (const sample of this.#resampler.push(samples)) {
      this.#frame[this.#filled++] = Math.round(Math.max(-1, Math.min(1, sample)) * MAX_16_BIT);
      if (this.#filled === FRAME_SAMPLES) packets.push(this.#packet());
    }
    return packets;
  }

  #packet(): Uint8Array {
    const payload = new Uint8Array(FRAME_SAMPLES);
    encodeG711('PCMU', this.#frame, payload);
    const { ssrc, sequence, timestamp } = { ssrc: this.#ssrc, sequence: this.#sequence, timestamp: this.#timestamp };
    const packet = buildRtpPacket({ payloadType: PCMU, marker: this.#first, sequence, timestamp, ssrc }, payload);
    this.#first = false;
    this.#filled = 0;
    this.#sequence = (sequence + 1) & 0xffff;
    this.#timestamp = (timestamp + FRAME_SAMPLES) >>> 0;
    return packet;
  }
}

/** RTP packets of the server as sound at the browser's own rate. */
export class FrameUnpacker {
  readonly #resampler: Resampler;
  readonly #view = new RtpPacketView();

  constructor(sampleRate: number) {
    this.#resampler = new Resampler(FRAME_RATE, sampleRate);
  }

  /** Undefined for what is no sound: keys, other formats, broken packets. */
  push(packet: Uint8Array): Float32Array | undefined {
    if (this.#view.read(packet) !== undefined) return undefined;
    const codec = CODECS[this.#view.payloadType];
    if (codec === undefined) return undefined;
    const linear = new Int16Array(this.#view.payloadLength);
    decodeG711(codec, this.#view.payload(), linear);
    return this.#resampler.push(Float32Array.from(linear, (sample) => sample / (MAX_16_BIT + 1)));
  }
}
