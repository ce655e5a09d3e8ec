/**
 * RTP data packets (RFC 3550 5.1).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *    |                           timestamp                           |
 *    |           synchronization source (SSRC) identifier            |
 *    |            contributing source (CSRC) identifiers (0-15)      |
 *    | extension: profile (16), length in words (16), words          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * One packet arrives per leg every 20 ms, so reading fills a view that its owner keeps and allocates nothing.
 */

export const RTP_HEADER_BYTES = 12;
const RTP_VERSION = 2;
const NO_BYTES = new Uint8Array(0);

export interface RtpHeader {
  /** 0-127. */
  payloadType: number;
  marker: boolean;
  /** 16 bits. */
  sequence: number;
  /** 32 bits, in units of the payload's clock. */
  timestamp: number;
  /** 32 bits. */
  ssrc: number;
}

/** Why bytes are no RTP packet. `rtcp`: the second byte is an RTCP packet type (RFC 5761 4). */
export type RtpFault = 'too-short' | 'wrong-version' | 'rtcp' | 'csrc-overrun' | 'extension-overrun' | 'bad-padding';

/** A view on the packet read last. Its fields are valid after `read` returned undefined, and until the next `read`. */
export class RtpPacketView implements RtpHeader {
  payloadType = 0;
  marker = false;
  sequence = 0;
  timestamp = 0;
  ssrc = 0;
  csrcCount = 0;
  /** Profile of the header extension, -1 when there is none. */
  extensionProfile = -1;
  extensionStart = 0;
  extensionEnd = 0;
  /** Offsets of the payload in `bytes`; padding is outside. */
  payloadStart = 0;
  payloadEnd = 0;
  bytes: Uint8Array = NO_BYTES;

  /** Reads one datagram; keeps a reference to `bytes`, copies nothing. */
  read(bytes: Uint8Array): RtpFault | undefined {
    if (bytes.length < RTP_HEADER_BYTES) return 'too-short';
    const first = bytes[0] as number;
    const second = bytes[1] as number;
    if (first >> 6 !== RTP_VERSION) return 'wrong-version';
    // RFC 5761 4: payload types 64-95 with the marker bit are RTCP packet types 192-223.
    if (second >= 192 && second <= 223) return 'rtcp';
    const csrcCount = first & 0x0f;
    let at = RTP_HEADER_BYTES + csrcCount * 4;
    if (at > bytes.length) return 'csrc-overrun';
    this.extensionProfile = -1;
    this.extensionStart = at;
    this.extensionEnd = at;
    if ((first & 0x10) !== 0) {
      if (at + 4 > bytes.length) return 'extension-overrun';
      const words = uint16(bytes, at + 2);
      if (at + 4 + words * 4 > bytes.length) return 'extension-overrun';
      this.extensionProfile = uint16(bytes, at);
      this.extensionStart = at + 4;
      at += 4 + words * 4;
      this.extensionEnd = at;
    }
    let end = bytes.length;
    if ((first & 0x20) !== 0) {
      // RFC 3550 5.1: the last byte counts the padding, itself included.
      const padding = bytes[end - 1] as number;
      if (padding === 0 || at + padding > end) return 'bad-padding';
      end -= padding;
    }
    this.marker = (second & 0x80) !== 0;
    this.payloadType = second & 0x7f;
    this.sequence = uint16(bytes, 2);
    this.timestamp = uint32(bytes, 4);
    this.ssrc = uint32(bytes, 8);
    this.csrcCount = csrcCount;
    this.payloadStart = at;
    this.payloadEnd = end;
    this.bytes = bytes;
    return undefined;
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** The payload as a window on the datagram (one small object). */
  payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.payloadEnd);
  }

  /** The contributing source at `index`, 0 to csrcCount - 1. */
  csrc(index: number): number {
    return uint32(this.bytes, RTP_HEADER_BYTES + index * 4);
  }
}

/** Writes the fixed header at the start of `into` (at least 12 bytes); values are cut to their width. Returns 12. */
export function writeRtpHeader(into: Uint8Array, header: Readonly<RtpHeader>): number {
  into[0] = RTP_VERSION << 6;
  into[1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f);
  into[2] = header.sequence >>> 8;
  into[3] = header.sequence;
  writeUint32(into, 4, header.timestamp);
  writeUint32(into, 8, header.ssrc);
  return RTP_HEADER_BYTES;
}

/** A whole packet in new memory; for rare packets and tests. Senders of audio write the header into a kept buffer. */
export function buildRtpPacket(header: Readonly<RtpHeader>, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RTP_HEADER_BYTES + payload.length);
  writeRtpHeader(bytes, header);
  bytes.set(payload, RTP_HEADER_BYTES);
  return bytes;
}

/** Signed distance from sequence number `a` to `b` over the wrap: -32768 to 32767. */
export function sequenceDistance(a: number, b: number): number {
  return ((b - a) << 16) >> 16;
}

/** Signed distance from timestamp `a` to `b` over the wrap: -2^31 to 2^31 - 1. */
export function timestampDistance(a: number, b: number): number {
  return (b - a) | 0;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
}

function writeUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
