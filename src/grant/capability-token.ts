import { SignJWT, type JWTPayload } from 'jose';
import { gotIdentity, isIdentity, refusedToken, type TokenOutcome } from './voice-token.ts';

const MAX_SCOPES = 16;
const MAX_PARAMETERS = 64;

/**
 * The capability token of 2013: issued by the account itself, with one text of scopes such as
 * `scope:client:incoming?clientName=jenny scope:client:outgoing?appSid=AP…&appParams=a%3Db`.
 */
export function readCapabilityToken(claims: JWTPayload, accountSid: string): TokenOutcome {
  const scope = claims['scope'];
  if (typeof scope !== 'string') return refusedToken(31201, 'want a scope');
  const scopes = scope
    .split(' ')
    .filter((text) => text !== '')
    .slice(0, MAX_SCOPES)
    .map(parseScope);
  const incoming = scopes.find((each) => each.path === 'client:incoming')?.parameters;
  const outgoing = scopes.find((each) => each.path === 'client:outgoing')?.parameters;
  if (incoming === undefined && outgoing === undefined) {
    return refusedToken(31201, 'want scope:client:incoming or scope:client:outgoing');
  }
  const identity = incoming?.get('clientName') ?? outgoing?.get('clientName') ?? '';
  if (identity !== '' && !isIdentity(identity)) return refusedToken(31105, gotIdentity(identity));
  const given = [...parseForm(outgoing?.get('appParams') ?? '')].slice(0, MAX_PARAMETERS);
  return {
    kind: 'ok',
    grant: {
      accountSid,
      identity,
      incoming: incoming !== undefined && identity !== '',
      outgoingApplicationSid: outgoing?.get('appSid') ?? undefined,
      outgoingParameters: Object.fromEntries(given),
      expiresAt: (claims.exp ?? 0) * 1000,
    },
  };
}

function parseScope(text: string): { readonly path: string; readonly parameters: ReadonlyMap<string, string> } {
  const [path = '', query = ''] = text.replace(/^scope:/, '').split('?', 2);
  return { path, parameters: parseForm(query) };
}

/** Form-encoded pairs; of a name that comes twice the last one counts. */
function parseForm(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('&').filter((pair) => pair !== '');
  return new Map(pairs.map((pair) => [decode(pair.split('=', 1)[0] ?? ''), decode(pair.slice(pair.indexOf('=') + 1))]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Escapes that are none stay as they are.
    return text;
  }
}

export interface NewCapabilityToken {
  readonly accountSid: string;
  readonly authToken: string;
  readonly identity: string;
  readonly outgoingApplicationSid: string;
  readonly nowMs: number;
  readonly ttlSeconds: number;
}

/** A token of 2013 that lets a browser be called and call; it needs no API key. */
export function signCapabilityToken(token: NewCapabilityToken): Promise<string> {
  const { accountSid, authToken, identity, outgoingApplicationSid, nowMs, ttlSeconds } = token;
  const name = encodeURIComponent(identity);
  const scope = [
    `scope:client:incoming?clientName=${name}`,
    `scope:client:outgoing?appSid=${outgoingApplicationSid}&clientName=${name}`,
  ].join(' ');
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(accountSid)
    .setExpirationTime(Math.floor(nowMs / 1000) + ttlSeconds)
    .sign(new TextEncoder().encode(authToken));
}
