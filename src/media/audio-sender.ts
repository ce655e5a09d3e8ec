import { randomInteger, type Random } from '../base/random.ts';
import {
  RTP_HEADER_BYTES,
  sequenceDistance,
  timestampDistance,
  writeRtpHeader,
  type RtpPacketView,
} from '../wire/rtp/packet.ts';
import { encodeG711, G711_SILENCE } from '../wire/sound/g711.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { PacketPort } from './packet-port.ts';

/** A relayed packet this far from our own time line starts a new one: half a second at 8 kHz. */
const MAX_RELAY_STEP = 4_000;
const UINT16 = 0xffff;
const UINT32 = 0xffff_ffff;

/** How a relayed stream's numbers become ours. */
interface RelayLine {
  readonly ssrc: number;
  readonly timestampOffset: number;
  sequenceOffset: number;
}

/**
 * One outgoing RTP stream: one SSRC, one sequence and one time line, whatever the packets are made of: our own frames,
 * key presses, or another leg's packets passed on.
 */
export class AudioSender {
  readonly ssrc: number;
  readonly #port: PacketPort;
  readonly #frameSamples: number;
  #audio: NegotiatedAudio | undefined;
  #sequence: number;
  /** Of the next frame. */
  #timestamp: number;
  #spurtBegins = true;
  #relay: RelayLine | undefined;
  #packets = 0;
  #octets = 0;

  constructor(port: PacketPort, random: Random, frameSamples: number) {
    this.#port = port;
    this.#frameSamples = frameSamples;
    // RFC 3550 5.1: all three start at random.
    this.ssrc = randomInteger(random, 1, UINT32);
    this.#sequence = randomInteger(random, 0, UINT16);
    this.#timestamp = randomInteger(random, 0, UINT32);
  }

  configure(audio: NegotiatedAudio): void {
    this.#audio = audio;
  }

  get packets(): number {
    return this.#packets;
  }

  /** Payload bytes, as a sender report counts them. */
  get octets(): number {
    return this.#octets;
  }

  get timestamp(): number {
    return this.#timestamp;
  }

  /** Sends one frame, silence when there is none; time moves on by a frame. */
  sendFrame(frame: Int16Array | undefined): void {
    const audio = this.#audio;
    if (audio !== undefined && this.#port.ready) {
      const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + this.#frameSamples);
      if (frame === undefined) packet.fill(G711_SILENCE[audio.codec], RTP_HEADER_BYTES);
      else encodeG711(audio.codec, frame, packet, RTP_HEADER_BYTES);
      this.#send(packet, audio.payloadType, this.#timestamp, this.#spurtBegins);
      this.#spurtBegins = false;
    }
    this.advance(1);
  }

  /** One packet of a key press that began at `timestamp`; time moves on by a frame. */
  sendEvent(payload: Uint8Array, marker: boolean, timestamp: number): void {
    const number = this.#audio?.telephoneEvent?.send;
    if (number !== undefined && this.#port.ready) {
      const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + payload.length);
      packet.set(payload, RTP_HEADER_BYTES);
      this.#send(packet, number, timestamp, marker);
    }
    this.advance(1);
    this.#spurtBegins = true;
  }

  /** Lets frames pass unsent: on hold, or after a standstill. */
  advance(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * this.#frameSamples) >>> 0;
    this.#relay = undefined;
  }

  /** Nothing is sent for a while: the next packet opens a new talk spurt (RFC 3551 4.1). */
  pause(frames: number): void {
    this.advance(frames);
    this.#spurtBegins = true;
  }

  /** Passes another leg's packet on as it is, under our own SSRC, sequence and time line. */
  relay(packet: RtpPacketView): void {
    const audio = this.#audio;
    if (audio === undefined || !this.#port.ready) return;
    const fresh = this.#relay === undefined || !this.#followsOn(this.#relay, packet);
    const relay = fresh ? this.#newLine(packet) : (this.#relay as RelayLine);
    this.#relay = relay;
    const length = packet.payloadLength;
    const copy = Buffer.allocUnsafe(RTP_HEADER_BYTES + length);
    copy.set(packet.payload(), RTP_HEADER_BYTES);
    const timestamp = (packet.timestamp + relay.timestampOffset) >>> 0;
    // Order and gaps of the source stay visible, so that the far end conceals and counts what was lost.
    const sequence = (packet.sequence + relay.sequenceOffset) & UINT16;
    const next = this.#sequence;
    this.#sequence = sequence;
    this.#send(copy, audio.payloadType, timestamp, fresh || packet.marker);
    if (sequenceDistance(next, this.#sequence) < 0) this.#sequence = next;
    const end = (timestamp + length) >>> 0;
    if (timestampDistance(this.#timestamp, end) > 0) this.#timestamp = end;
    this.#spurtBegins = false;
  }

  /** A packet of the relayed stream that is not passed on: it must not look like a loss. */
  skipRelayed(): void {
    if (this.#relay !== undefined) this.#relay.sequenceOffset -= 1;
  }

  #newLine(packet: RtpPacketView): RelayLine {
    return {
      ssrc: packet.ssrc,
      timestampOffset: this.#timestamp - packet.timestamp,
      sequenceOffset: this.#sequence - packet.sequence,
    };
  }

  #followsOn(relay: RelayLine, packet: RtpPacketView): boolean {
    if (relay.ssrc !== packet.ssrc) return false;
    const step = timestampDistance(this.#timestamp, (packet.timestamp + relay.timestampOffset) >>> 0);
    return Math.abs(step) <= MAX_RELAY_STEP;
  }

  #send(packet: Uint8Array, payloadType: number, timestamp: number, marker: boolean): void {
    writeRtpHeader(packet, { payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.ssrc });
    this.#sequence = (this.#sequence + 1) & UINT16;
    this.#packets += 1;
    this.#octets += packet.length - RTP_HEADER_BYTES;
    this.#port.sendRtp(packet);
  }
}
