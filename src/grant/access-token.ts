import { SignJWT, type JWTPayload } from 'jose';
import { gotIdentity, isIdentity, refusedToken, type TokenOutcome, type VoiceGrant } from './voice-token.ts';

const CONTENT_TYPE = 'twilio-fpa;v=1';
const MAX_PARAMETERS = 64;

export interface NewAccessToken {
  readonly accountSid: string;
  readonly keySid: string;
  readonly secret: string;
  readonly identity: string;
  readonly incoming?: boolean;
  readonly outgoingApplicationSid?: string;
  readonly outgoingParameters?: Readonly<Record<string, string>>;
  readonly nowMs: number;
  readonly ttlSeconds: number;
}

/** An access token with a voice grant, in the form that the server SDKs make. */
export function signAccessToken(token: NewAccessToken): Promise<string> {
  const { accountSid, keySid, identity, incoming, outgoingApplicationSid, outgoingParameters } = token;
  const nowSeconds = Math.floor(token.nowMs / 1000);
  const outgoing = {
    application_sid: outgoingApplicationSid,
    ...(outgoingParameters === undefined ? {} : { params: outgoingParameters }),
  };
  const voice = {
    ...(incoming === true ? { incoming: { allow: true } } : {}),
    ...(outgoingApplicationSid === undefined ? {} : { outgoing }),
  };
  return new SignJWT({ grants: { identity, voice } })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', cty: CONTENT_TYPE })
    .setJti(`${keySid}-${nowSeconds}`)
    .setIssuer(keySid)
    .setSubject(accountSid)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + token.ttlSeconds)
    .sign(new TextEncoder().encode(token.secret));
}

/** The voice grant of an access token's claims; the signature was checked with a key of `accountSid`. */
export function readAccessToken(claims: JWTPayload, accountSid: string): TokenOutcome {
  if (claims.sub !== accountSid) return refusedToken(31201, "the key is another account's than sub names");
  const grants = objectOf(claims['grants']);
  const voice = objectOf(grants?.['voice']);
  if (grants === undefined || voice === undefined) return refusedToken(31201, 'want grants.voice');
  const identity = grants['identity'] ?? '';
  if (typeof identity !== 'string' || (identity !== '' && !isIdentity(identity)))
    return refusedToken(31105, typeof identity === 'string' ? gotIdentity(identity) : `got a ${typeof identity}`);
  const outgoing = objectOf(voice['outgoing']);
  const applicationSid = outgoing?.['application_sid'];
  const grant: VoiceGrant = {
    accountSid,
    identity,
    incoming: objectOf(voice['incoming'])?.['allow'] === true,
    outgoingApplicationSid: typeof applicationSid === 'string' ? applicationSid : undefined,
    outgoingParameters: textsOf(objectOf(outgoing?.['params'])),
    expiresAt: (claims.exp ?? 0) * 1000,
  };
  return { kind: 'ok', grant };
}

type Values = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Values | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : undefined;
}

function textsOf(values: Values | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(values ?? {}).slice(0, MAX_PARAMETERS);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
