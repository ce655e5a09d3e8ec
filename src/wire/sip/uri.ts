import { everyCode, isAll, isDigitCode, isHexCode, SCHEME, URI } from './characters.ts';
import { formatHostPort, parseHostPort, sameHost } from './host.ts';
import type { Parameter, Parameters } from './parameters.ts';
import { decodeEscapes, encodeEscapes } from './escapes.ts';

export const MAX_URI_CHARS = 8192;

/** A sip:, sips: (RFC 3261 19.1) or tel: (RFC 3966) URI. Every text is decoded: `%HH` are undone once, never twice. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips' | 'tel';
  /** Case-sensitive. For tel: the number as written, with its visual separators. */
  readonly user?: string;
  readonly password?: string;
  /** Lower case, IPv6 without brackets; empty for tel: */
  readonly host: string;
  readonly port?: number;
  /** Names lower case, in order. */
  readonly parameters: Parameters;
  /** `?name=value` pairs, in order, names as written. */
  readonly headers: readonly Parameter[];
}

/** The scheme of any URI, lower case; undefined when the text is none. */
export function uriScheme(text: string): string | undefined {
  // Nearly all of them.
  if (text.startsWith('sip:')) return 'sip';
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(0, colon)).toLowerCase();
  return /^[a-z]/.test(scheme) && isAll(scheme, SCHEME) ? scheme : undefined;
}

/** Undefined for other schemes and for what is none of the three; blanks and `<>` around it are not taken off. */
export function parseSipUri(text: string): SipUri | undefined {
  if (text.length > MAX_URI_CHARS || !text.isWellFormed() || !isAll(text, URI)) return undefined;
  const scheme = uriScheme(text);
  const rest = text.slice((scheme?.length ?? 0) + 1);
  if (scheme === 'tel') return parseTel(rest);
  return scheme === 'sip' || scheme === 'sips' ? parseSip(scheme, rest) : undefined;
}

function parseSip(scheme: 'sip' | 'sips', rest: string): SipUri | undefined {
  // `;` and `?` may stand in the user part, `@` only at its end (25.1).
  const at = rest.indexOf('@');
  const question = rest.indexOf('?', at + 1);
  const beforeHeaders = rest.slice(at + 1, question < 0 ? rest.length : question);
  const semicolon = beforeHeaders.indexOf(';');
  const hostPort = parseHostPort(semicolon < 0 ? beforeHeaders : beforeHeaders.slice(0, semicolon));
  const parameters = semicolon < 0 ? NONE : parsePairs(beforeHeaders.slice(semicolon + 1), ';')?.map(lowerName);
  // Each has a value (25.1), an empty one where the `=` was forgotten.
  const pairs = question < 0 ? NONE : parsePairs(rest.slice(question + 1), '&');
  const headers = pairs?.map((pair) => (pair.value === undefined ? { ...pair, value: '' } : pair));
  if (hostPort === undefined || parameters === undefined || headers === undefined) return undefined;
  const { host, port } = hostPort;
  const uri: Building<SipUri> = { scheme, host, parameters, headers };
  if (port !== undefined) uri.port = port;
  return at < 0 || addUserPart(uri, rest.slice(0, at)) ? uri : undefined;
}

const NONE: readonly Parameter[] = [];
type Building<T> = { -readonly [Key in keyof T]: T[Key] };

/** False when the text before the `@` is none. */
function addUserPart(uri: Building<SipUri>, text: string): boolean {
  const colon = text.indexOf(':');
  const user = decodeEscapes(colon < 0 ? text : text.slice(0, colon));
  if (user === undefined || user.length === 0) return false;
  uri.user = user;
  if (colon < 0) return true;
  const password = decodeEscapes(text.slice(colon + 1));
  if (password === undefined) return false;
  uri.password = password;
  return true;
}

function parsePairs(text: string, separator: string): readonly Parameter[] | undefined {
  const pairs: Parameter[] = [];
  for (const piece of text.split(separator)) {
    const equals = piece.indexOf('=');
    const name = decodeEscapes(equals < 0 ? piece : piece.slice(0, equals));
    const value = equals < 0 ? undefined : decodeEscapes(piece.slice(equals + 1));
    if (name === undefined || name.length === 0 || (equals >= 0 && value === undefined)) return undefined;
    pairs.push(value === undefined ? { name } : { name, value });
  }
  return pairs;
}

function lowerName(pair: Parameter): Parameter {
  return { ...pair, name: pair.name.toLowerCase() };
}

/** `tel:+1-201-555-0123;ext=1` or `tel:7042;phone-context=example.com`. */
function parseTel(rest: string): SipUri | undefined {
  const semicolon = rest.indexOf(';');
  const user = semicolon < 0 ? rest : rest.slice(0, semicolon);
  const parameters = semicolon < 0 ? [] : parsePairs(rest.slice(semicolon + 1), ';');
  if (parameters === undefined || user.length === 0 || !everyCode(user, isPhoneCode)) return undefined;
  return { scheme: 'tel', user, host: '', parameters: parameters.map(lowerName), headers: [] };
}

/** Digits, hexadecimal digits, `*` `#` `+` and visual separators (RFC 3966 3). */
function isPhoneCode(code: number): boolean {
  return isHexCode(code) || '*#+-.()'.includes(String.fromCharCode(code));
}

const USER_CHARS = "-_.!~*'()&=+$,;?/#";
const PASSWORD_CHARS = "-_.!~*'()&=+$,";
const PARAMETER_CHARS = "-_.!~*'()[]/:&+$";
const HEADER_CHARS = "-_.!~*'()[]/?:+$";

/** The URI as text, everything escaped that must be (19.1.2). */
export function formatSipUri(uri: SipUri): string {
  const parameters = uri.parameters.map((pair) => `;${formatPair(pair, PARAMETER_CHARS)}`).join('');
  if (uri.scheme === 'tel') return `tel:${uri.user ?? ''}${parameters}`;
  const password = uri.password === undefined ? '' : `:${encodeEscapes(uri.password, PASSWORD_CHARS)}`;
  const user = uri.user === undefined ? '' : `${encodeEscapes(uri.user, USER_CHARS)}${password}@`;
  const headers = uri.headers.map((pair) => formatPair({ value: '', ...pair }, HEADER_CHARS)).join('&');
  return `${uri.scheme}:${user}${formatHostPort(uri)}${parameters}${headers === '' ? '' : `?${headers}`}`;
}

function formatPair({ name, value }: Parameter, plain: string): string {
  const escaped = encodeEscapes(name, plain);
  return value === undefined ? escaped : `${escaped}=${encodeEscapes(value, plain)}`;
}

/** Parameters that count even when only one side has them. The examples of 19.1.4 put `transport` among them. */
const DECIDING_PARAMETERS = ['user', 'ttl', 'method', 'maddr', 'transport'];

/**
 * RFC 3261 19.1.4. Not transitive. No port is not the default port; no DNS. Escaped and plain spellings are the same,
 * reserved characters included, as an address of record has them (10.3). tel: numbers without visual separators.
 */
export function sameSipUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme) return false;
  if (a.scheme === 'tel') return phoneDigits(a) === phoneDigits(b) && sameTelParameters(a, b);
  return (
    a.user === b.user &&
    a.password === b.password &&
    a.port === b.port &&
    sameHost(a.host, b.host) &&
    sameParameters(a.parameters, b.parameters) &&
    sameHeaders(a.headers, b.headers)
  );
}

function sameParameters(a: Parameters, b: Parameters): boolean {
  const [ours, theirs] = [firstValues(a), firstValues(b)];
  if (DECIDING_PARAMETERS.some((name) => ours.has(name) !== theirs.has(name))) return false;
  for (const [name, value] of ours) {
    const other = theirs.get(name);
    if (other === undefined) continue;
    // Method names are the one value whose case counts (7.1).
    const same = name === 'method' ? value === other : value.toLowerCase() === other.toLowerCase();
    if (!same) return false;
  }
  return true;
}

/** A name must not stand twice (19.1.1); where it does, its first value counts, as everywhere. */
function firstValues(parameters: Parameters): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { name, value } of parameters) if (!values.has(name)) values.set(name, value ?? '');
  return values;
}

function sameHeaders(a: readonly Parameter[], b: readonly Parameter[]): boolean {
  const canonical = (pairs: readonly Parameter[]): string =>
    JSON.stringify(pairs.map(({ name, value }) => [name.toLowerCase(), value ?? '']).sort());
  return a.length === b.length && canonical(a) === canonical(b);
}

/** RFC 3966 4: separators do not count, letters without case, and every parameter must be on both sides. */
function sameTelParameters(a: SipUri, b: SipUri): boolean {
  return sameHeaders(
    a.parameters.map((pair) => ({ ...pair, value: (pair.value ?? '').toLowerCase() })),
    b.parameters.map((pair) => ({ ...pair, value: (pair.value ?? '').toLowerCase() })),
  );
}

/** A telephone number without visual separators, lower case. */
export function phoneDigits(uri: SipUri): string {
  return Array.from(uri.user ?? '')
    .filter((char) => isDigitCode(char.charCodeAt(0)) || /[a-f*#+]/i.test(char))
    .join('')
    .toLowerCase();
}

/** Canonical text of an address of record: without parameters, headers and password, escapes normal (10.3 step 5). */
export function addressOfRecord(uri: SipUri): string {
  const { scheme, user, host, port } = uri;
  return formatSipUri({
    scheme,
    host,
    parameters: [],
    headers: [],
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  });
}
