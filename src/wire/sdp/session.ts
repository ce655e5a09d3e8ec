import * as sdpTransform from 'sdp-transform';
import { iceDtlsOf, rawIceDtls, rawSource, type IceDtls, type LocalSource, type RawIceDtls } from './ice-dtls.ts';

/** Largest description read; a browser's with video stays below 16 KiB. */
export const MAX_SDP_CHARS = 32_768;
/** Most m= lines of one description. */
export const MAX_MEDIA_SECTIONS = 32;

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One format of an RTP section: an a=rtpmap line, or what RFC 3551 says of a static number. */
export interface PayloadFormat {
  /** 0-127. */
  readonly payloadType: number;
  /** As written; compare without case. */
  readonly name: string;
  readonly clockRate: number;
  /** The text of a=fmtp behind the number. */
  readonly parameters?: string;
}

/** One m= line with its attributes. */
export interface MediaSection {
  /** `audio`, `video`, ... */
  readonly type: string;
  /** 0 refuses the stream. */
  readonly port: number;
  /** `RTP/AVP`, ... */
  readonly protocol: string;
  /** Formats of the m= line in order of preference, as text, since not all protocols number them. */
  readonly formats: readonly string[];
  /** Those of `formats` whose meaning is known, in the same order. */
  readonly payloads: readonly PayloadFormat[];
  /** From this section's c= line or the session's, without TTL; undefined when neither is there. */
  readonly address?: string;
  /** As the writer of the description sees it; this section's own or the session's, else `sendrecv` (RFC 3264 5.1). */
  readonly direction: Direction;
  readonly ptimeMs?: number;
  /** a=rtcp (RFC 3605); without address: that of the section. */
  readonly rtcp?: { readonly port: number; readonly address?: string };
  /** a=mid (RFC 5888). */
  readonly mid?: string;
  /** a=rtcp-mux (RFC 5761). */
  readonly rtcpMux?: boolean;
  /** What a browser says of ICE and DTLS; absent when anything of it is missing or wrong. */
  readonly iceDtls?: IceDtls;
  /** Of our own descriptions. */
  readonly source?: LocalSource;
}

export interface SessionDescription {
  readonly origin: {
    readonly username: string;
    /** A decimal number, often too long for a double. */
    readonly sessionId: string;
    readonly version: string;
    readonly address: string;
  };
  readonly media: readonly MediaSection[];
}

export type SessionResult =
  { readonly kind: 'ok'; readonly value: SessionDescription } | { readonly kind: 'bad'; readonly reason: string };

/**
 * Reads SDP (RFC 8866). Only `v=0` is insisted upon; lines that cannot be read are left out, but no m= line is ever lost,
 * because answers refer to them by their place.
 */
export function parseSessionDescription(text: string): SessionResult {
  if (text.length > MAX_SDP_CHARS) return bad(`${text.length} characters: want at most ${MAX_SDP_CHARS}`);
  if (!/^v=0\s*$/m.test(text.slice(0, FIRST_LINES_CHARS))) return bad('no line v=0');
  const mediaLines = text.split(/\r\n|\r|\n/).filter((line) => line.startsWith('m='));
  if (mediaLines.length > MAX_MEDIA_SECTIONS) return bad(`${mediaLines.length} m= lines: want ${MAX_MEDIA_SECTIONS}`);
  const raw = sdpTransform.parse(text) as RawSession;
  const media: MediaSection[] = [];
  for (const [index, line] of mediaLines.entries()) {
    const section = mediaSection(line, raw.media[index], raw);
    if (section === undefined) return bad(`m= line ${index + 1}: want media, port, protocol and formats`);
    media.push(section);
  }
  return { kind: 'ok', value: { origin: originOf(raw), media } };
}
const FIRST_LINES_CHARS = 64;

function bad(reason: string): SessionResult {
  return { kind: 'bad', reason };
}

/** What sdp-transform really gives: every field may be missing, and numbers may be texts. */
interface RawShared {
  readonly connection?: { readonly ip?: string | number };
  readonly direction?: string;
}
interface RawSession extends RawShared, RawIceDtls {
  readonly origin?: Partial<Record<'username' | 'sessionId' | 'sessionVersion' | 'address', string | number>>;
  readonly media: readonly RawMedia[];
}
interface RawMedia extends RawShared, RawIceDtls {
  readonly mid?: string | number;
  readonly rtcpMux?: string;
  readonly rtp: readonly Partial<Record<'payload' | 'codec' | 'rate', string | number>>[];
  readonly fmtp: readonly Partial<Record<'payload' | 'config', string | number>>[];
  readonly ptime?: string | number;
  readonly rtcp?: { readonly port?: string | number; readonly address?: string };
}

function originOf({ origin }: RawSession): SessionDescription['origin'] {
  return {
    username: String(origin?.username ?? '-'),
    sessionId: String(origin?.sessionId ?? '0'),
    version: String(origin?.sessionVersion ?? '0'),
    address: String(origin?.address ?? '0.0.0.0'),
  };
}

const MAX_PORT = 65_535;

function mediaSection(line: string, raw: RawMedia | undefined, session: RawSession): MediaSection | undefined {
  const [type = '', portText = '', protocol = '', ...formats] = line.slice(2).trim().split(/\s+/);
  // `49170/2` is two ports (RFC 8866 5.14); the first is the one that audio uses.
  const port = wholeNumber(portText.split('/')[0], MAX_PORT);
  if (raw === undefined || port === undefined || protocol === '' || formats.length === 0) return undefined;
  const address = (raw.connection ?? session.connection)?.ip;
  const ptimeMs = wholeNumber(raw.ptime, MAX_PTIME_MS);
  const rtcpPort = wholeNumber(raw.rtcp?.port, MAX_PORT);
  const rtcpAddress = raw.rtcp?.address;
  const mid = midOf(raw.mid);
  const iceDtls = iceDtlsOf(raw, session);
  return {
    ...{ type, port, protocol, formats },
    // A format that stands twice says nothing new, and each one costs a line in what is written.
    payloads: [...new Set(formats)].flatMap((format) => payloadFormat(format, raw) ?? []),
    direction: directionOf(raw.direction) ?? directionOf(session.direction) ?? 'sendrecv',
    ...(address === undefined ? {} : { address: String(address).split('/')[0] as string }),
    ...(ptimeMs === undefined || ptimeMs === 0 ? {} : { ptimeMs }),
    ...(rtcpPort === undefined
      ? {}
      : { rtcp: { port: rtcpPort, ...(rtcpAddress === undefined ? {} : { address: String(rtcpAddress) }) } }),
    ...(mid === undefined ? {} : { mid }),
    ...(raw.rtcpMux === undefined ? {} : { rtcpMux: true }),
    ...(iceDtls === undefined ? {} : { iceDtls }),
  };
}

/** RFC 5888 4: a token. */
function midOf(raw: string | number | undefined): string | undefined {
  const text = String(raw ?? '');
  return /^[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}$/.test(text) ? text : undefined;
}
const MAX_PTIME_MS = 1000;

function wholeNumber(value: string | number | undefined, max: number): number | undefined {
  const text = String(value ?? '');
  return /^\d{1,9}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

function directionOf(text: string | undefined): Direction | undefined {
  return text === 'sendrecv' || text === 'sendonly' || text === 'recvonly' || text === 'inactive' ? text : undefined;
}

/** The static numbers of RFC 3551 table 4 that telephones still send without a=rtpmap. */
const STATIC_FORMATS: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU'],
  [3, 'GSM'],
  [8, 'PCMA'],
  [9, 'G722'],
  [13, 'CN'],
  [18, 'G729'],
]);
const TELEPHONE_CLOCK_RATE = 8000;
const MAX_PAYLOAD_TYPE = 127;
const MAX_CLOCK_RATE = 10_000_000;

function payloadFormat(format: string, raw: RawMedia): PayloadFormat | undefined {
  const payloadType = wholeNumber(format, MAX_PAYLOAD_TYPE);
  if (payloadType === undefined) return undefined;
  const map = raw.rtp.find((each) => String(each.payload) === format);
  const name = map?.codec ?? STATIC_FORMATS.get(payloadType);
  const clockRate = map === undefined ? TELEPHONE_CLOCK_RATE : wholeNumber(map.rate, MAX_CLOCK_RATE);
  // sdp-transform reads `0x10` as 0, and no clock stands still.
  if (name === undefined || clockRate === undefined || clockRate === 0) return undefined;
  const parameters = raw.fmtp.find((each) => String(each.payload) === format)?.config;
  return {
    ...{ payloadType, name: String(name), clockRate },
    ...(parameters === undefined ? {} : { parameters: String(parameters) }),
  };
}

/** The description as text; lines end in CRLF. Throws TypeError when a text in it holds a line break. */
export function formatSessionDescription({ origin, media }: SessionDescription): string {
  // RFC 8866 5.7: every section, a refused one too, needs a c= line of its own or the session's.
  const common = media.find(({ port, address }) => port !== 0 && address !== undefined)?.address ?? origin.address;
  return sdpTransform.write({
    version: 0,
    origin: {
      username: oneLine(origin.username),
      sessionId: oneLine(origin.sessionId),
      sessionVersion: Number(origin.version),
      netType: 'IN',
      ipVer: addressVersion(origin.address),
      address: oneLine(origin.address),
    },
    name: '-',
    connection: { version: addressVersion(common), ip: oneLine(common) },
    timing: { start: 0, stop: 0 },
    ...bundleOf(media),
    media: media.map((section) => rawSection(section, common)),
  });
}

/** RFC 9143: accepted sections share one transport; browsers want to be told so even of a single one. */
function bundleOf(media: readonly MediaSection[]): { groups?: { type: string; mids: string }[] } {
  const mids = media.flatMap(({ iceDtls, port, mid }) => (iceDtls === undefined || port === 0 ? [] : (mid ?? [])));
  return mids.length === 0 ? {} : { groups: [{ type: 'BUNDLE', mids: mids.map(oneLine).join(' ') }] };
}

function rawSection(section: MediaSection, common: string): sdpTransform.SessionDescription['media'][number] {
  const { type, port, protocol, formats, payloads, address, direction, ptimeMs, rtcp, mid, iceDtls, source } = section;
  return {
    type: oneLine(type),
    port,
    protocol: oneLine(protocol),
    payloads: oneLine(formats.join(' ')),
    ...(address === undefined || address === common
      ? {}
      : { connection: { version: addressVersion(address), ip: oneLine(address) } }),
    rtp: payloads.map(({ payloadType, name, clockRate }) => ({
      payload: payloadType,
      codec: oneLine(name),
      rate: clockRate,
    })),
    fmtp: payloads.flatMap(({ payloadType, parameters }) =>
      parameters === undefined ? [] : [{ payload: payloadType, config: oneLine(parameters) }],
    ),
    ...(port === 0 ? {} : { direction }),
    ...(ptimeMs === undefined ? {} : { ptime: ptimeMs }),
    ...(rtcp === undefined ? {} : { rtcp: rawRtcp(rtcp) }),
    ...(mid === undefined ? {} : { mid: oneLine(mid) }),
    ...(iceDtls === undefined ? {} : rawIceDtls(iceDtls)),
    ...(source === undefined ? {} : rawSource(source)),
  };
}

function rawRtcp({ port, address }: { readonly port: number; readonly address?: string }): {
  port: number;
  netType?: string;
  ipVer?: number;
  address?: string;
} {
  return address === undefined
    ? { port }
    : { port, netType: 'IN', ipVer: addressVersion(address), address: oneLine(address) };
}

function addressVersion(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

function oneLine(text: string): string {
  if (/[\r\n]/.test(text)) throw new TypeError(`SDP text ${JSON.stringify(text.slice(0, 40))}: want no line break`);
  return text;
}
