import type { Parsed } from '../../base/parsed.ts';

/** One source's reception as its receiver saw it (RFC 3550 6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Share lost since the last report, in 1/256. */
  readonly fractionLost: number;
  /** 24 bits, signed: duplicates may make it negative. */
  readonly cumulativeLost: number;
  /** Highest sequence number, its wraps counted in the upper 16 bits. */
  readonly highestSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report; 0 when there was none. */
  readonly lastSenderReport: number;
  /** Since that report came, in 1/65536 s. */
  readonly delaySinceLast: number;
}

export interface SenderReport {
  readonly kind: 'sender-report';
  readonly ssrc: number;
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
  readonly reports: readonly ReportBlock[];
}

export interface ReceiverReport {
  readonly kind: 'receiver-report';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
}

export interface SourceDescription {
  readonly kind: 'source-description';
  readonly sources: readonly { readonly ssrc: number; readonly cname: string }[];
}

export interface Bye {
  readonly kind: 'bye';
  readonly sources: readonly number[];
  readonly reason?: string;
}

/** A type that is not understood (APP, feedback); skipped by whoever reads. */
export interface OtherRtcp {
  readonly kind: 'other';
  readonly packetType: number;
}

export type RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Bye | OtherRtcp;

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const BYE = 203;
const HEADER_BYTES = 4;
const REPORT_BYTES = 24;
const SENDER_BYTES = 20;
const CNAME_ITEM = 1;
/** Five bits count reports and sources. */
const MAX_COUNT = 31;
const MAX_TEXT_BYTES = 255;
/** A compound packet fits a datagram; more packets than this are an attack on the reader's time. */
const MAX_PACKETS = 32;
/** Seconds from 1900 (NTP) to 1970 (Unix). */
const NTP_OFFSET = 2_208_988_800;

/** Whether a datagram on a port shared with RTP is RTCP (RFC 5761 4). */
export function isRtcp(bytes: Uint8Array): boolean {
  const type = bytes[1] ?? 0;
  return bytes.length >= HEADER_BYTES && (bytes[0] as number) >> 6 === 2 && type >= 192 && type <= 223;
}

/** NTP time of Unix milliseconds, as the two halves that a sender report carries. */
export function ntpTime(unixMs: number): { readonly seconds: number; readonly fraction: number } {
  const whole = Math.floor(unixMs / 1000);
  return {
    seconds: (whole + NTP_OFFSET) >>> 0,
    fraction: Math.floor(((unixMs - whole * 1000) / 1000) * 2 ** 32) >>> 0,
  };
}

/** The middle 32 bits of an NTP time, by which reports name each other. */
export function middleOfNtp(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

/** Reads a compound packet. Bytes that break the format refuse the whole: nothing behind them can be trusted. */
export function parseRtcp(bytes: Uint8Array): Parsed<readonly RtcpPacket[]> {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + HEADER_BYTES > bytes.length) return bad(at, 'header cut short');
    if (packets.length === MAX_PACKETS) return bad(at, `more than ${MAX_PACKETS} packets`);
    const first = bytes[at] as number;
    if (first >> 6 !== 2) return bad(at, `version ${first >> 6}: want 2`);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
    const end = HEADER_BYTES + view.getUint16(2) * 4;
    if (end > view.byteLength) return bad(at, `length ${end}: only ${view.byteLength} bytes are there`);
    // RFC 3550 6.4.1: the last byte of the padding counts it.
    const padding = (first & 0x20) === 0 ? 0 : view.getUint8(end - 1);
    if ((first & 0x20) !== 0 && (padding === 0 || padding > end - HEADER_BYTES)) return bad(at, 'wrong padding');
    const body = new DataView(view.buffer, view.byteOffset + HEADER_BYTES, end - HEADER_BYTES - padding);
    const packet = parseBody(view.getUint8(1), first & MAX_COUNT, body);
    if (typeof packet === 'string') return bad(at, packet);
    packets.push(packet);
    at += end;
  }
  return packets.length === 0 ? bad(0, 'empty') : { kind: 'ok', value: packets, used: bytes.length };
}

/** The packet, or why it is none. */
function parseBody(type: number, count: number, body: DataView): RtcpPacket | string {
  switch (type) {
    case SENDER_REPORT:
      if (body.byteLength < 4 + SENDER_BYTES + count * REPORT_BYTES) return 'sender report cut short';
      return {
        kind: 'sender-report',
        ssrc: body.getUint32(0),
        ntpSeconds: body.getUint32(4),
        ntpFraction: body.getUint32(8),
        rtpTimestamp: body.getUint32(12),
        packetCount: body.getUint32(16),
        octetCount: body.getUint32(20),
        reports: parseReports(body, 4 + SENDER_BYTES, count),
      };
    case RECEIVER_REPORT:
      if (body.byteLength < 4 + count * REPORT_BYTES) return 'receiver report cut short';
      return { kind: 'receiver-report', ssrc: body.getUint32(0), reports: parseReports(body, 4, count) };
    case SOURCE_DESCRIPTION:
      return parseDescription(body, count);
    case BYE:
      return parseBye(body, count);
    default:
      return { kind: 'other', packetType: type };
  }
}

function parseReports(body: DataView, start: number, count: number): readonly ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * REPORT_BYTES;
    return {
      ssrc: body.getUint32(at),
      fractionLost: body.getUint8(at + 4),
      cumulativeLost: (body.getInt8(at + 5) << 16) | body.getUint16(at + 6),
      highestSequence: body.getUint32(at + 8),
      jitter: body.getUint32(at + 12),
      lastSenderReport: body.getUint32(at + 16),
      delaySinceLast: body.getUint32(at + 20),
    };
  });
}

/** RFC 3550 6.5: chunks of items, each chunk ended by a zero byte and filled up to 32 bits. */
function parseDescription(body: DataView, count: number): SourceDescription | string {
  const sources: { ssrc: number; cname: string }[] = [];
  let at = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    if (at + 4 > body.byteLength) return 'source description cut short';
    const ssrc = body.getUint32(at);
    let cname = '';
    at += 4;
    while (at < body.byteLength && body.getUint8(at) !== 0) {
      const length = at + 1 < body.byteLength ? body.getUint8(at + 1) : Infinity;
      if (at + 2 + length > body.byteLength) return 'item of a source description cut short';
      if (body.getUint8(at) === CNAME_ITEM) cname = textAt(body, at + 2, length);
      at += 2 + length;
    }
    at += 4 - (at % 4);
    sources.push({ ssrc, cname });
  }
  return { kind: 'source-description', sources };
}

function parseBye(body: DataView, count: number): Bye | string {
  if (body.byteLength < count * 4) return 'bye cut short';
  const sources = Array.from({ length: count }, (_, index) => body.getUint32(index * 4));
  const at = count * 4;
  if (at >= body.byteLength) return { kind: 'bye', sources };
  const length = body.getUint8(at);
  if (at + 1 + length > body.byteLength) return 'reason of a bye cut short';
  return { kind: 'bye', sources, reason: textAt(body, at + 1, length) };
}

function textAt(body: DataView, at: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(body.buffer, body.byteOffset + at, length));
}

/**
 * Writes a compound packet. RFC 3550 6.1 wants a report first and a source description with a CNAME in each; lists are
 * cut to the 31 entries and texts to the 255 bytes that the format holds.
 */
export function buildRtcp(packets: readonly Exclude<RtcpPacket, OtherRtcp>[]): Uint8Array {
  const parts = packets.map(buildPacket);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function buildPacket(packet: Exclude<RtcpPacket, OtherRtcp>): Uint8Array {
  switch (packet.kind) {
    case 'sender-report': {
      const reports = packet.reports.slice(0, MAX_COUNT);
      const view = open(SENDER_REPORT, reports.length, 4 + SENDER_BYTES + reports.length * REPORT_BYTES);
      const numbers = [packet.ssrc, packet.ntpSeconds, packet.ntpFraction, packet.rtpTimestamp];
      [...numbers, packet.packetCount, packet.octetCount].forEach((value, i) => view.setUint32(4 + i * 4, value));
      writeReports(view, HEADER_BYTES + 4 + SENDER_BYTES, reports);
      return bytesOf(view);
    }
    case 'receiver-report': {
      const reports = packet.reports.slice(0, MAX_COUNT);
      const view = open(RECEIVER_REPORT, reports.length, 4 + reports.length * REPORT_BYTES);
      view.setUint32(4, packet.ssrc);
      writeReports(view, HEADER_BYTES + 4, reports);
      return bytesOf(view);
    }
    case 'source-description':
      return buildDescription(packet);
    case 'bye': {
      const sources = packet.sources.slice(0, MAX_COUNT);
      const reason = packet.reason === undefined ? undefined : textBytes(packet.reason);
      const view = open(BYE, sources.length, sources.length * 4 + (reason === undefined ? 0 : 1 + reason.length));
      sources.forEach((ssrc, i) => view.setUint32(HEADER_BYTES + i * 4, ssrc));
      if (reason !== undefined) {
        view.setUint8(HEADER_BYTES + sources.length * 4, reason.length);
        bytesOf(view).set(reason, HEADER_BYTES + sources.length * 4 + 1);
      }
      return bytesOf(view);
    }
    default:
      return packet satisfies never;
  }
}

function buildDescription(packet: SourceDescription): Uint8Array {
  const chunks = packet.sources.slice(0, MAX_COUNT).map(({ ssrc, cname }) => {
    const text = textBytes(cname);
    // At least one zero byte ends the items.
    const chunk = new Uint8Array(Math.ceil((4 + 2 + text.length + 1) / 4) * 4);
    new DataView(chunk.buffer).setUint32(0, ssrc);
    chunk[4] = CNAME_ITEM;
    chunk[5] = text.length;
    chunk.set(text, 6);
    return chunk;
  });
  const view = open(
    SOURCE_DESCRIPTION,
    chunks.length,
    chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  );
  let at = HEADER_BYTES;
  for (const chunk of chunks) {
    bytesOf(view).set(chunk, at);
    at += chunk.length;
  }
  return bytesOf(view);
}

/** A packet with its header written and room for `bodyBytes`, filled up to 32 bits. */
function open(type: number, count: number, bodyBytes: number): DataView {
  const words = Math.ceil(bodyBytes / 4);
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + words * 4));
  view.setUint8(0, 0x80 | count);
  view.setUint8(1, type);
  view.setUint16(2, words);
  return view;
}

function writeReports(view: DataView, start: number, reports: readonly ReportBlock[]): void {
  reports.forEach((report, index) => {
    const at = start + index * REPORT_BYTES;
    const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, report.cumulativeLost));
    view.setUint32(at, report.ssrc);
    view.setUint32(at + 4, (report.fractionLost << 24) | (lost & 0xff_ffff));
    view.setUint32(at + 8, report.highestSequence);
    view.setUint32(at + 12, report.jitter);
    view.setUint32(at + 16, report.lastSenderReport);
    view.setUint32(at + 20, report.delaySinceLast);
  });
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text).subarray(0, MAX_TEXT_BYTES);
}

function bad(offset: number, reason: string): Extract<Parsed<never>, { kind: 'bad' }> {
  return { kind: 'bad', offset, reason };
}
