import type { Endpoint } from '../../base/network.ts';
import { isIpAddress } from '../sip/host.ts';
import { isGroupAddress } from './group-address.ts';
import type { IceDtls, LocalSource } from './ice-dtls.ts';
import type { Direction, MediaSection, PayloadFormat, SessionDescription } from './session.ts';

export type AudioCodec = 'PCMU' | 'PCMA';

/** In our order of preference. */
export const AUDIO_CODECS: readonly AudioCodec[] = ['PCMU', 'PCMA'];

const STATIC_PAYLOAD_TYPE: Readonly<Record<AudioCodec, number>> = { PCMU: 0, PCMA: 8 };
const CLOCK_RATE = 8000;
const TELEPHONE_EVENT = 'telephone-event';
const TELEPHONE_EVENT_PAYLOAD_TYPE = 101;
/** DTMF and flash (RFC 4733 2.4.1, 3.2). */
const TELEPHONE_EVENTS = '0-16';
const PTIME_MS = 20;
/** Packet times that are obeyed; others mean 20 ms. */
const SUPPORTED_PTIMES_MS = [10, 20, 30, 40, 60];
const PROTOCOLS = ['RTP/AVP', 'RTP/AVPF'];
/** RFC 5764 8, RFC 8843; a browser offers the first. */
const SECURE_PROTOCOLS = ['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP'];
const SECURE_PROTOCOL = 'UDP/TLS/RTP/SAVPF';
/** Of our own offers; answers take the offer's. */
const OUR_MID = '0';

/** Our end of an audio session. */
export interface LocalAudio {
  /** Written into c= and o=; an IP literal. */
  readonly address: string;
  readonly port: number;
  /** Written as a=rtcp when it is not `port + 1`. */
  readonly rtcpPort?: number;
  /** Decimal; the same for the whole dialog. */
  readonly sessionId: string;
  /** One more than in the last description that we sent in this dialog, when anything changed (RFC 3264 8). */
  readonly version: number;
  /** What we are willing to do; `sendrecv` when left out. */
  readonly direction?: Direction;
  /** With it descriptions are those of a browser's call: ICE, DTLS-SRTP, RTCP on the same port. */
  readonly secure?: { readonly iceDtls: IceDtls; readonly source: LocalSource };
}

/** What both sides agreed upon. */
export interface NegotiatedAudio {
  readonly codec: AudioCodec;
  /** The number to send with. */
  readonly payloadType: number;
  /** The number that the peer sends with; another one only when the peer answered with numbers of its own. */
  readonly receivePayloadType: number;
  /** RFC 4733 at 8 kHz; undefined: digits go in-band. */
  readonly telephoneEventPayloadType?: number;
  readonly receiveTelephoneEventPayloadType?: number;
  /** Where RTP goes. Its address may be 0.0.0.0 (an old form of hold): then `direction` says not to send. */
  readonly remote: Endpoint;
  /** Where RTCP goes; undefined when there is no port for it. */
  readonly rtcpRemote?: Endpoint;
  /** What the peer wants in one packet. */
  readonly ptimeMs: number;
  /** As we see it. */
  readonly direction: Direction;
  /** What the peer says of ICE and DTLS, and the mid of the section; there exactly when `LocalAudio.secure` was. */
  readonly secure?: { readonly iceDtls: IceDtls; readonly mid: string };
}

export interface NotAcceptable {
  readonly kind: 'not-acceptable';
  readonly reason: string;
}

export type AnswerResult =
  { readonly kind: 'ok'; readonly answer: SessionDescription; readonly negotiated: NegotiatedAudio } | NotAcceptable;

export type AcceptResult = { readonly kind: 'ok'; readonly negotiated: NegotiatedAudio } | NotAcceptable;

/**
 * An audio offer. `previous` is the last description that we sent in this dialog: its m= lines keep their places, those
 * that are not audio stay refused, and numbers keep their codecs (RFC 3264 8, 8.3.2).
 */
export function makeAudioOffer(local: LocalAudio, previous?: SessionDescription): SessionDescription {
  const place = previous?.media.findIndex((section) => section.type === 'audio' && section.port !== 0) ?? -1;
  const numbers = place < 0 ? [] : (previous?.media[place]?.payloads ?? []);
  const audio = audioSection(local, {
    payloads: offeredPayloads(numbers),
    protocol: local.secure === undefined ? 'RTP/AVP' : SECURE_PROTOCOL,
    mid: previous?.media[place]?.mid ?? OUR_MID,
  });
  const others = previous?.media ?? [];
  const media =
    place < 0 ? [...others.map(refused), audio] : others.map((each, at) => (at === place ? audio : refused(each)));
  return { origin: originOf(local), media };
}

function offeredPayloads(known: readonly PayloadFormat[]): readonly PayloadFormat[] {
  const codecs = AUDIO_CODECS.map((codec) => findCodec(known, codec) ?? codecFormat(codec, STATIC_PAYLOAD_TYPE[codec]));
  const taken = new Set([...known, ...codecs].map(({ payloadType }) => payloadType));
  const event = findTelephoneEvent(known)?.payloadType ?? freeNumber(taken);
  return [...codecs, telephoneEventFormat(event)];
}

const LAST_DYNAMIC_PAYLOAD_TYPE = 127;

function freeNumber(taken: ReadonlySet<number>): number {
  for (let number = TELEPHONE_EVENT_PAYLOAD_TYPE; number < LAST_DYNAMIC_PAYLOAD_TYPE; number += 1)
    if (!taken.has(number)) return number;
  return LAST_DYNAMIC_PAYLOAD_TYPE;
}

/**
 * Answers an offer (RFC 3264 6): as many m= lines in the same order, the first audio that can be spoken accepted with the
 * offer's numbers, all others refused with port 0. One codec is answered, so that the peer never changes it in the call.
 */
export function answerAudioOffer(offer: SessionDescription, local: LocalAudio): AnswerResult {
  let reason = 'no audio offered';
  for (const [place, section] of offer.media.entries()) {
    if (section.type !== 'audio' || section.port === 0) continue;
    const codec = chooseCodec(section.payloads);
    const problem = sectionProblem(section, local.secure !== undefined) ?? codecProblem(section, codec);
    if (problem !== undefined || codec === undefined) {
      reason = problem ?? reason;
      continue;
    }
    const event = findTelephoneEvent(section.payloads);
    const direction = bothAgree(reversed(directionOf(section)), local.direction ?? 'sendrecv');
    const payloads = event === undefined ? [codec.format] : [codec.format, telephoneEventFormat(event.payloadType)];
    const audio = audioSection(
      { ...local, direction },
      { payloads, protocol: section.protocol, ...(section.mid === undefined ? {} : { mid: section.mid }) },
    );
    const media = offer.media.map((each, at) => (at === place ? audio : refused(each)));
    const negotiated = negotiatedFrom(section, { codec, event, direction, ours: payloads });
    return { kind: 'ok', answer: { origin: originOf(local), media }, negotiated };
  }
  return { kind: 'not-acceptable', reason };
}

/** Takes the answer to our offer. Its audio must stand where ours stood. */
export function acceptAudioAnswer(offer: SessionDescription, answer: SessionDescription): AcceptResult {
  const place = offer.media.findIndex((section) => section.type === 'audio' && section.port !== 0);
  const ours = offer.media[place];
  const theirs = answer.media[place];
  if (ours === undefined) return { kind: 'not-acceptable', reason: 'our offer had no audio' };
  if (theirs === undefined || theirs.type !== 'audio')
    return { kind: 'not-acceptable', reason: `no audio at m= line ${place + 1} of the answer` };
  if (theirs.port === 0) return { kind: 'not-acceptable', reason: 'audio was refused' };
  const codec = firstCodec(theirs.payloads, ours.payloads);
  const problem = sectionProblem(theirs, ours.iceDtls !== undefined) ?? codecProblem(theirs, codec);
  if (problem !== undefined || codec === undefined)
    return { kind: 'not-acceptable', reason: problem ?? noCodec(theirs) };
  const direction = bothAgree(reversed(directionOf(theirs)), ours.direction);
  const event = findTelephoneEvent(theirs.payloads);
  return { kind: 'ok', negotiated: negotiatedFrom(theirs, { codec, event, direction, ours: ours.payloads }) };
}

interface Codec {
  readonly codec: AudioCodec;
  readonly format: PayloadFormat;
}

function negotiatedFrom(
  theirs: MediaSection,
  agreed: {
    readonly codec: Codec;
    readonly event: PayloadFormat | undefined;
    readonly direction: Direction;
    readonly ours: readonly PayloadFormat[];
  },
): NegotiatedAudio {
  const { codec, event, direction, ours } = agreed;
  const ourEvent = findTelephoneEvent(ours);
  const rtcpRemote = rtcpOf(theirs);
  return {
    codec: codec.codec,
    payloadType: codec.format.payloadType,
    receivePayloadType: findCodec(ours, codec.codec)?.payloadType ?? codec.format.payloadType,
    ...(event === undefined || ourEvent === undefined
      ? {}
      : { telephoneEventPayloadType: event.payloadType, receiveTelephoneEventPayloadType: ourEvent.payloadType }),
    remote: { address: theirs.address ?? '', port: theirs.port },
    ...(rtcpRemote === undefined ? {} : { rtcpRemote }),
    ptimeMs: SUPPORTED_PTIMES_MS.includes(theirs.ptimeMs ?? PTIME_MS) ? (theirs.ptimeMs ?? PTIME_MS) : PTIME_MS,
    direction,
    ...(theirs.iceDtls === undefined || !isSecure(theirs)
      ? {}
      : { secure: { iceDtls: theirs.iceDtls, mid: theirs.mid ?? OUR_MID } }),
  };
}

const MAX_PORT = 65_535;

/** RFC 3605, else the next port (RFC 3550 11). */
function rtcpOf({ address = '', port, rtcp }: MediaSection): Endpoint | undefined {
  if (rtcp !== undefined && rtcp.port > 0 && isIpAddress(rtcp.address ?? address))
    return { address: rtcp.address ?? address, port: rtcp.port };
  return port < MAX_PORT ? { address, port: port + 1 } : undefined;
}

function isSecure({ protocol }: MediaSection): boolean {
  return SECURE_PROTOCOLS.includes(protocol);
}

function sectionProblem(section: MediaSection, secure: boolean): string | undefined {
  return secure ? secureProblem(section) : plainProblem(section);
}

function secureProblem(section: MediaSection): string | undefined {
  const { protocol, iceDtls, rtcpMux } = section;
  if (!isSecure(section)) return `protocol ${protocol}: want ${SECURE_PROTOCOLS.join(' or ')}`;
  if (iceDtls === undefined)
    return 'no keys for the call: want a=ice-ufrag, a=ice-pwd, a=setup and a=fingerprint with SHA-256 or better';
  // RFC 8834 4.5: a browser always can.
  if (rtcpMux !== true) return 'RTCP on a port of its own: want a=rtcp-mux';
  return undefined;
}

function plainProblem({ protocol, address }: MediaSection): string | undefined {
  if (!PROTOCOLS.includes(protocol)) return `protocol ${protocol}: want ${PROTOCOLS.join(' or ')}`;
  if (address === undefined || !isIpAddress(address))
    return `address ${address ?? 'missing'}: want an IP address in c=`;
  if (isGroupAddress(address)) return `address ${address}: want that of one host, not of a group`;
  return undefined;
}

function codecProblem(section: MediaSection, codec: Codec | undefined): string | undefined {
  return codec === undefined ? noCodec(section) : undefined;
}

function noCodec({ payloads }: MediaSection): string {
  const names = payloads.map(({ name, clockRate }) => `${name}/${clockRate}`).join(', ');
  return `codecs ${names === '' ? 'unknown' : names}: want ${AUDIO_CODECS.join(' or ')}`;
}

/** Of an offer: the best by our preference. */
function chooseCodec(payloads: readonly PayloadFormat[]): Codec | undefined {
  for (const codec of AUDIO_CODECS) {
    const format = findCodec(payloads, codec);
    if (format !== undefined) return { codec, format };
  }
  return undefined;
}

/** Of an answer: the first that we offered, since the answerer put its choice first (RFC 3264 6.1). */
function firstCodec(theirs: readonly PayloadFormat[], ours: readonly PayloadFormat[]): Codec | undefined {
  for (const format of theirs)
    for (const codec of AUDIO_CODECS)
      if (isFormat(format, codec) && findCodec(ours, codec) !== undefined) return { codec, format };
  return undefined;
}

function isFormat({ name, clockRate }: PayloadFormat, wanted: string): boolean {
  return clockRate === CLOCK_RATE && name.toLowerCase() === wanted.toLowerCase();
}

function findCodec(payloads: readonly PayloadFormat[], codec: AudioCodec): PayloadFormat | undefined {
  return payloads.find((format) => isFormat(format, codec));
}

/** The one at 8 kHz; browsers offer it at 48 kHz too, which PCMU's time stamps cannot carry. */
function findTelephoneEvent(payloads: readonly PayloadFormat[]): PayloadFormat | undefined {
  return payloads.find((format) => isFormat(format, TELEPHONE_EVENT));
}

function codecFormat(codec: AudioCodec, payloadType: number): PayloadFormat {
  return { payloadType, name: codec, clockRate: CLOCK_RATE };
}

function telephoneEventFormat(payloadType: number): PayloadFormat {
  return { payloadType, name: TELEPHONE_EVENT, clockRate: CLOCK_RATE, parameters: TELEPHONE_EVENTS };
}

function originOf({ sessionId, version, address }: LocalAudio): SessionDescription['origin'] {
  return { username: '-', sessionId, version: String(version), address };
}

function audioSection(
  { address, port, rtcpPort, direction = 'sendrecv', secure }: LocalAudio,
  {
    payloads,
    protocol,
    mid,
  }: { readonly payloads: readonly PayloadFormat[]; readonly protocol: string; readonly mid?: string },
): MediaSection {
  return {
    ...{ type: 'audio', port, protocol, payloads, address, direction },
    formats: payloads.map(({ payloadType }) => String(payloadType)),
    ptimeMs: PTIME_MS,
    ...(rtcpPort === undefined || rtcpPort === port + 1 ? {} : { rtcp: { port: rtcpPort } }),
    ...(secure === undefined ? {} : { ...secure, rtcpMux: true, ...(mid === undefined ? {} : { mid }) }),
  };
}

/** The same m= line with port 0 (RFC 3264 6): type, protocol and formats must be there, attributes need not. */
function refused({ type, protocol, formats, mid }: MediaSection): MediaSection {
  return {
    type,
    port: 0,
    protocol,
    formats,
    payloads: [],
    direction: 'inactive',
    ...(mid === undefined ? {} : { mid }),
  };
}

export function maySend(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

export function mayReceive(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function directionFrom(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

/** The same stream seen from the other side. */
export function reversed(direction: Direction): Direction {
  return directionFrom(mayReceive(direction), maySend(direction));
}

function bothAgree(a: Direction, b: Direction): Direction {
  return directionFrom(maySend(a) && maySend(b), mayReceive(a) && mayReceive(b));
}

/**
 * An address of zeros is RFC 2543's hold: its writer cannot receive (RFC 3264 8.4). From a browser it only says that no
 * candidate is known yet (RFC 8839 4.2.1.3).
 */
function directionOf(section: MediaSection): Direction {
  const { address, direction } = section;
  const held = !isSecure(section) && (address === '0.0.0.0' || address === '::');
  return held ? directionFrom(maySend(direction), false) : direction;
}
