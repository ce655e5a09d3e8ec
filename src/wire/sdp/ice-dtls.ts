import { isIpAddress } from '../sip/host.ts';
import { isGroupAddress } from './group-address.ts';

/** What one side of ICE (RFC 8839) and DTLS-SRTP (RFC 5763) says about itself in an m= section. */
export interface IceDtls {
  readonly ufrag: string;
  readonly password: string;
  readonly fingerprint: Fingerprint;
  readonly setup: DtlsSetup;
  /** UDP candidates of the first component with literal addresses, at most `MAX_CANDIDATES`. */
  readonly candidates: readonly IceCandidate[];
}

/** Hash of the certificate that the DTLS handshake must show (RFC 8122 5). */
export interface Fingerprint {
  /** `sha-256`, `sha-384` or `sha-512`. */
  readonly algorithm: string;
  /** Pairs of hexadecimal digits, upper case, with colons. */
  readonly value: string;
}

/** Who begins the DTLS handshake (RFC 4145 4). */
export type DtlsSetup = 'active' | 'passive' | 'actpass';

export interface IceCandidate {
  readonly foundation: string;
  readonly priority: number;
  readonly address: string;
  readonly port: number;
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
}

/** The stream that our RTP is, told so that a browser makes a track of it (RFC 5576, RFC 8830). */
export interface LocalSource {
  readonly ssrc: number;
  readonly cname: string;
}

/** A browser offers a few for each interface; more would only make us send to addresses of a stranger's choice. */
export const MAX_CANDIDATES = 16;

/** Bytes of the hashes that are believed; SHA-1 and MD5 are not (RFC 8122 5). */
const HASH_BYTES: ReadonlyMap<string, number> = new Map([
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
]);

/** What sdp-transform gives for the attributes concerned; numbers may be texts and texts numbers. */
export interface RawIceDtls {
  readonly iceUfrag?: string | number;
  readonly icePwd?: string | number;
  readonly fingerprint?: { readonly type?: string | number; readonly hash?: string | number };
  readonly setup?: string | number;
  readonly candidates?: readonly RawCandidate[];
}
type RawCandidate = Partial<
  Record<'foundation' | 'component' | 'transport' | 'priority' | 'ip' | 'port' | 'type', string | number>
>;

/** Reads a section's attributes, each from the session where the section has none; undefined when one is missing or wrong. */
export function iceDtlsOf(section: RawIceDtls, session: RawIceDtls): IceDtls | undefined {
  const ufrag = iceText(section.iceUfrag ?? session.iceUfrag, MIN_UFRAG_CHARS);
  const password = iceText(section.icePwd ?? session.icePwd, MIN_PASSWORD_CHARS);
  const fingerprint = fingerprintOf(section.fingerprint ?? session.fingerprint);
  const setup = setupOf(section.setup ?? session.setup);
  if (ufrag === undefined || password === undefined || fingerprint === undefined || setup === undefined)
    return undefined;
  const candidates = (section.candidates ?? []).flatMap((raw) => candidateOf(raw) ?? []).slice(0, MAX_CANDIDATES);
  return { ufrag, password, fingerprint, setup, candidates };
}

// RFC 8839 5.4
const MIN_UFRAG_CHARS = 4;
const MIN_PASSWORD_CHARS = 22;
const MAX_ICE_CHARS = 256;

function iceText(value: string | number | undefined, least: number): string | undefined {
  const text = String(value ?? '');
  return text.length >= least && text.length <= MAX_ICE_CHARS && /^[A-Za-z0-9+/]+$/.test(text) ? text : undefined;
}

function fingerprintOf(raw: RawIceDtls['fingerprint']): Fingerprint | undefined {
  const algorithm = String(raw?.type ?? '').toLowerCase();
  const value = String(raw?.hash ?? '').toUpperCase();
  const bytes = HASH_BYTES.get(algorithm);
  if (bytes === undefined || value.length !== bytes * 3 - 1) return undefined;
  return /^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(value) ? { algorithm, value } : undefined;
}

function setupOf(value: string | number | undefined): DtlsSetup | undefined {
  return value === 'active' || value === 'passive' || value === 'actpass' ? value : undefined;
}

const MAX_PRIORITY = 0x7fff_ffff;
const MAX_PORT = 65_535;

/** Names (of mDNS, RFC 8828) are left out: looking them up would let a stranger choose what this machine asks for. */
function candidateOf(raw: RawCandidate): IceCandidate | undefined {
  const { foundation, component, transport, priority, ip, port, type } = raw;
  const address = String(ip ?? '');
  if (String(transport).toLowerCase() !== 'udp' || Number(component) !== 1 || !isIpAddress(address)) return undefined;
  if (isGroupAddress(address)) return undefined;
  if (type !== 'host' && type !== 'srflx' && type !== 'prflx' && type !== 'relay') return undefined;
  if (!isWhole(priority, MAX_PRIORITY) || !isWhole(port, MAX_PORT)) return undefined;
  const text = String(foundation ?? '');
  if (!/^[A-Za-z0-9+/]{1,32}$/.test(text)) return undefined;
  return { foundation: text, priority: Number(priority), address, port: Number(port), type };
}

function isWhole(value: string | number | undefined, max: number): boolean {
  const number = Number(value ?? NaN);
  return Number.isInteger(number) && number >= 1 && number <= max;
}

/** The attributes as sdp-transform writes them. All candidates are there: nothing trickles. */
export function rawIceDtls({ ufrag, password, fingerprint, setup, candidates }: IceDtls): {
  iceUfrag: string;
  icePwd: string;
  fingerprint: { type: string; hash: string };
  setup: string;
  rtcpMux: 'rtcp-mux';
  candidates: {
    foundation: string;
    component: number;
    transport: string;
    priority: number;
    ip: string;
    port: number;
    type: string;
  }[];
  endOfCandidates?: 'end-of-candidates';
} {
  return {
    iceUfrag: ufrag,
    icePwd: password,
    fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value },
    setup,
    rtcpMux: 'rtcp-mux',
    candidates: candidates.map(({ foundation, priority, address, port, type }) => {
      return { foundation, component: 1, transport: 'udp', priority, ip: address, port, type };
    }),
    ...(candidates.length === 0 ? {} : { endOfCandidates: 'end-of-candidates' }),
  };
}

/** a=ssrc and a=msid of our stream. */
export function rawSource({ ssrc, cname }: LocalSource): {
  ssrcs: { id: number; attribute: string; value: string }[];
  msid: { id: string; appdata: string }[];
} {
  const msid = `${STREAM} ${TRACK}`;
  return {
    ssrcs: [
      { id: ssrc, attribute: 'cname', value: cname },
      { id: ssrc, attribute: 'msid', value: msid },
    ],
    msid: [{ id: STREAM, appdata: TRACK }],
  };
}
const STREAM = 'tandem';
const TRACK = 'audio';
