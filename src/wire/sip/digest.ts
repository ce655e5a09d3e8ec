import { isTokenCode, skipBlanks, skipToken } from './characters.ts';
import { quoteString, readQuoted } from './parameters.ts';

/** RFC 8760's names; their hash is the port's work. */
export type DigestAlgorithm = 'MD5' | 'SHA-256' | 'SHA-512-256';

/** Hash of the UTF-8 bytes of `text` as lower-case hexadecimal. */
export type DigestHash = (algorithm: DigestAlgorithm, text: string) => string;

/** What a server asks for: one WWW-Authenticate or Proxy-Authenticate line. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  /** Whether `auth` is among the offered qop values; without it the client answers the old way (RFC 2069). */
  readonly qopAuth: boolean;
  /** The nonce was good once: try again with the new one, without asking anybody. */
  readonly stale: boolean;
  readonly opaque?: string;
}

/** What a client answers: one Authorization or Proxy-Authorization line. */
export interface DigestAuthorization {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  /** As the client hashed it; after forwarding it may differ from the Request-URI (RFC 3261 22.4). */
  readonly uri: string;
  /** Lower case hexadecimal. */
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly opaque?: string;
  /** Present with `qop=auth`. */
  readonly protection?: { readonly clientNonce: string; readonly nonceCount: string };
}

/** Scheme and parameters of any challenge or credentials; a header line holds one (RFC 3261 20.44: no commas between). */
export interface AuthenticationLine {
  /** Lower case. */
  readonly scheme: string;
  /** Names lower case, values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_PARAMETERS = 32;

/** `Scheme name=value, name="value"`. A name that comes twice is refused: two readers could believe different ones. */
export function parseAuthenticationLine(value: string): AuthenticationLine | undefined {
  const schemeStart = skipBlanks(value, 0);
  const schemeEnd = skipToken(value, schemeStart);
  if (schemeEnd === schemeStart) return undefined;
  const parameters = new Map<string, string>();
  let at = skipSeparators(value, schemeEnd);
  while (at < value.length) {
    const nameEnd = skipToken(value, at);
    const name = value.slice(at, nameEnd).toLowerCase();
    const equals = skipBlanks(value, nameEnd);
    if (name === '' || value[equals] !== '=' || parameters.has(name) || parameters.size >= MAX_PARAMETERS)
      return undefined;
    const read = readAuthValue(value, skipBlanks(value, equals + 1));
    const next = read === undefined ? 0 : skipBlanks(value, read.end);
    if (read === undefined || (next < value.length && value[next] !== ',')) return undefined;
    parameters.set(name, read.text);
    at = skipSeparators(value, next);
  }
  return { scheme: value.slice(schemeStart, schemeEnd).toLowerCase(), parameters };
}

function skipSeparators(text: string, from: number): number {
  let at = skipBlanks(text, from);
  while (text[at] === ',') at = skipBlanks(text, at + 1);
  return at;
}

/** Tokens, quoted strings, and unquoted values with the characters that some phones leave unquoted (a URI). */
function readAuthValue(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  if (text[start] === '"') return readQuoted(text, start);
  let end = start;
  while (end < text.length && (isTokenCode(text.charCodeAt(end)) || '/:@=?&;[]+'.includes(text[end] as string)))
    end += 1;
  return end === start ? undefined : { text: text.slice(start, end), end };
}

/** A digest challenge that can be answered; undefined for other schemes, algorithms and `qop=auth-int` alone. */
export function parseChallenge(value: string): DigestChallenge | undefined {
  const line = parseAuthenticationLine(value);
  if (line?.scheme !== 'digest') return undefined;
  const { parameters } = line;
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const algorithm = digestAlgorithm(parameters.get('algorithm'));
  const qop = parameters.get('qop');
  const qopAuth = qop !== undefined && qop.split(',').some((each) => each.trim().toLowerCase() === 'auth');
  if (realm === undefined || nonce === undefined || algorithm === undefined) return undefined;
  // An empty qop is what some servers send for "none".
  if (qop !== undefined && qop.trim() !== '' && !qopAuth) return undefined;
  const stale = parameters.get('stale')?.toLowerCase() === 'true';
  const opaque = parameters.get('opaque');
  return { realm, nonce, algorithm, qopAuth, stale, ...(opaque === undefined ? {} : { opaque }) };
}

/** The topmost challenge that can be answered (RFC 8760 2.4: the server puts its best first). */
export function chooseChallenge(values: readonly string[]): DigestChallenge | undefined {
  for (const value of values) {
    const challenge = parseChallenge(value);
    if (challenge !== undefined) return challenge;
  }
  return undefined;
}

/** Value of one WWW-Authenticate or Proxy-Authenticate line. */
export function formatChallenge({ realm, nonce, algorithm, qopAuth, stale, opaque }: DigestChallenge): string {
  const parts = [`realm=${quoteString(realm)}`, `nonce=${quoteString(nonce)}`];
  if (opaque !== undefined) parts.push(`opaque=${quoteString(opaque)}`);
  if (stale) parts.push('stale=true');
  parts.push(`algorithm=${algorithm}`);
  if (qopAuth) parts.push('qop="auth"');
  return `Digest ${parts.join(', ')}`;
}

/** Digest credentials; undefined for other schemes, algorithms, `auth-int`, and whenever a needed part is missing. */
export function parseAuthorization(value: string): DigestAuthorization | undefined {
  const line = parseAuthenticationLine(value);
  if (line?.scheme !== 'digest') return undefined;
  const { parameters } = line;
  const username = parameters.get('username');
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const uri = parameters.get('uri');
  const response = parameters.get('response')?.toLowerCase();
  const algorithm = digestAlgorithm(parameters.get('algorithm'));
  if (username === undefined || realm === undefined || nonce === undefined || uri === undefined) return undefined;
  // Hexadecimal digits only (RFC 7616 3.4): anything else can match no hash, and would not be quoted when it is written.
  if (response === undefined || !/^[0-9a-f]+$/.test(response) || algorithm === undefined) return undefined;
  const protection = parseProtection(parameters);
  if (protection === 'broken') return undefined;
  const opaque = parameters.get('opaque');
  return {
    ...{ username, realm, nonce, uri, response, algorithm },
    ...(opaque === undefined ? {} : { opaque }),
    ...(protection === undefined ? {} : { protection }),
  };
}

/** With qop, cnonce and nc are required (RFC 7616 3.4); nc is exactly eight hexadecimal digits. */
function parseProtection(
  parameters: ReadonlyMap<string, string>,
): { readonly clientNonce: string; readonly nonceCount: string } | undefined | 'broken' {
  const qop = parameters.get('qop');
  if (qop === undefined) return undefined;
  const clientNonce = parameters.get('cnonce');
  const nonceCount = parameters.get('nc');
  if (qop.toLowerCase() !== 'auth' || clientNonce === undefined || nonceCount === undefined) return 'broken';
  return /^[0-9a-f]{8}$/i.test(nonceCount) ? { clientNonce, nonceCount } : 'broken';
}

/** Value of one Authorization or Proxy-Authorization line; nc, qop and algorithm without quotes (RFC 7616 3.4). */
export function formatAuthorization(authorization: DigestAuthorization): string {
  const { username, realm, nonce, uri, response, algorithm, opaque, protection } = authorization;
  const parts = [
    `username=${quoteString(username)}`,
    `realm=${quoteString(realm)}`,
    `nonce=${quoteString(nonce)}`,
    `uri=${quoteString(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
  ];
  if (opaque !== undefined) parts.push(`opaque=${quoteString(opaque)}`);
  if (protection !== undefined)
    parts.push('qop=auth', `nc=${protection.nonceCount}`, `cnonce=${quoteString(protection.clientNonce)}`);
  return `Digest ${parts.join(', ')}`;
}

/** None named means MD5 (RFC 7616 3.3). */
function digestAlgorithm(text: string | undefined): DigestAlgorithm | undefined {
  const upper = (text ?? 'MD5').toUpperCase();
  return upper === 'MD5' || upper === 'SHA-256' || upper === 'SHA-512-256' ? upper : undefined;
}

/** HA1 of a user (RFC 7616 3.4.2), the only form in which a server keeps a password. */
export function digestHa1(
  hash: DigestHash,
  algorithm: DigestAlgorithm,
  user: { readonly username: string; readonly realm: string; readonly password: string },
): string {
  return hash(algorithm, `${user.username}:${user.realm}:${user.password}`);
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly ha1: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  /** Left out: the computation without qop (RFC 2069). */
  readonly protection?: { readonly clientNonce: string; readonly nonceCount: string };
}

/** The response value (RFC 7616 3.4.1). The server compares it in constant time. */
export function digestResponse(hash: DigestHash, input: DigestInput): string {
  const { algorithm, ha1, nonce, method, uri, protection } = input;
  const ha2 = hash(algorithm, `${method}:${uri}`);
  if (protection === undefined) return hash(algorithm, `${ha1}:${nonce}:${ha2}`);
  const { nonceCount, clientNonce } = protection;
  return hash(algorithm, `${ha1}:${nonce}:${nonceCount}:${clientNonce}:auth:${ha2}`);
}

/** The n-th use of a nonce as `nc` writes it. */
export function formatNonceCount(count: number): string {
  return count.toString(16).padStart(8, '0');
}

export interface AnswerOptions {
  readonly challenge: DigestChallenge;
  readonly username: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly clientNonce: string;
  /** 1 for the first request with this nonce. */
  readonly nonceCount: number;
}

/** The credentials that answer a challenge. */
export function answerChallenge(hash: DigestHash, options: AnswerOptions): DigestAuthorization {
  const { challenge, username, password, method, uri, clientNonce, nonceCount } = options;
  const { realm, nonce, algorithm, opaque, qopAuth } = challenge;
  const ha1 = digestHa1(hash, algorithm, { username, realm, password });
  const protection = qopAuth ? { protection: { clientNonce, nonceCount: formatNonceCount(nonceCount) } } : {};
  const response = digestResponse(hash, { algorithm, ha1, nonce, method, uri, ...protection });
  return {
    ...{ username, realm, nonce, uri, response, algorithm },
    ...(opaque === undefined ? {} : { opaque }),
    ...protection,
  };
}
