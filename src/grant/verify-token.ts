import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose';
import { readAccessToken } from './access-token.ts';
import { readCapabilityToken } from './capability-token.ts';
import { refusedToken, type SigningSecret, type TokenOutcome } from './voice-token.ts';

export const MAX_TOKEN_CHARS = 8_192;
/** The vendor's longest life of a token. */
const MAX_LIFE_SECONDS = 86_400;
/** Clocks of two machines differ. */
const TOLERANCE_SECONDS = 5;
const ALGORITHMS = ['HS256', 'HS384', 'HS512'];

export interface VerifyPorts {
  /** The secret that the issuer signs with: a key's, or an account's auth token. */
  secretOf(issuer: string): Promise<SigningSecret | undefined>;
  nowMs(): number;
}

/** Checks a token and reads what it allows: an access token (signed with an API key), or the capability token of 2013. */
export async function verifyVoiceToken(token: string, ports: VerifyPorts): Promise<TokenOutcome> {
  const issuer = issuerOf(token);
  if (issuer === undefined) return refusedToken(31204);
  const signer = await ports.secretOf(issuer);
  if (signer === undefined) return refusedToken(31201, 'nobody here signs with this key');
  const claims = await verifiedClaims(token, signer.secret, ports.nowMs());
  if (!('claims' in claims)) return claims;
  if (!signer.active) return refusedToken(31203);
  const { iat, exp, nbf } = claims.claims;
  if (exp === undefined) return refusedToken(31204, 'want exp');
  const nowSeconds = ports.nowMs() / 1000;
  // A token that says it was issued in the future lives no longer for it.
  if (exp - Math.min(iat ?? nbf ?? nowSeconds, nowSeconds) > MAX_LIFE_SECONDS + TOLERANCE_SECONDS)
    return refusedToken(31207);
  return issuer.startsWith('AC')
    ? readCapabilityToken(claims.claims, signer.accountSid)
    : readAccessToken(claims.claims, signer.accountSid);
}

function issuerOf(token: string): string | undefined {
  if (token.length > MAX_TOKEN_CHARS) return undefined;
  try {
    const { iss }: { readonly iss?: unknown } = decodeJwt(token);
    // Nothing is checked yet: it may be any JSON.
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

async function verifiedClaims(
  token: string,
  secret: string,
  nowMs: number,
): Promise<{ readonly claims: JWTPayload } | TokenOutcome> {
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), {
      algorithms: ALGORITHMS,
      currentDate: new Date(nowMs),
      clockTolerance: TOLERANCE_SECONDS,
    });
    return { claims: payload };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return refusedToken(31205);
    if (error instanceof errors.JWSSignatureVerificationFailed) return refusedToken(31202);
    return refusedToken(31204, error instanceof errors.JOSEError ? error.code : undefined);
  }
}
