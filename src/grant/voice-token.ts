import { quoted } from '../base/parsed.ts';

/** What a browser phone may do, read from a token whose signature was checked. */
export interface VoiceGrant {
  readonly accountSid: string;
  /** Under which the phone is called: `client:IDENTITY`. Empty where the token names none. */
  readonly identity: string;
  /** May it be called? */
  readonly incoming: boolean;
  /** The application whose VoiceUrl is asked when the phone calls; undefined: it may not call. */
  readonly outgoingApplicationSid: string | undefined;
  /** Parameters that the token's maker gives every call, beside the page's own. */
  readonly outgoingParameters: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const MAX_IDENTITY_CHARS = 121;

/** The vendor's numbers for a token that is refused. */
export const TOKEN_FAULTS = {
  31105: `want an identity of at most ${MAX_IDENTITY_CHARS} visible ASCII characters, without blanks`,
  31201: 'it allows nothing here',
  31202: 'the signature is wrong',
  31203: 'the account is not active',
  31204: 'it is no token of this service',
  31205: 'the token has expired',
  31207: 'the token lives longer than a day',
} as const;

export type TokenFaultCode = keyof typeof TOKEN_FAULTS;

export type TokenOutcome =
  | { readonly kind: 'ok'; readonly grant: VoiceGrant }
  | { readonly kind: 'refused'; readonly code: TokenFaultCode; readonly reason: string };

/** With what a token is signed, and whose it is. */
export interface SigningSecret {
  readonly secret: string;
  readonly accountSid: string;
  readonly active: boolean;
}

/** `code` with its text, and what was got where that helps. */
export function refusedToken(code: TokenFaultCode, detail?: string): TokenOutcome {
  const text = TOKEN_FAULTS[code];
  return { kind: 'refused', code, reason: detail === undefined ? text : `${text}: ${detail}` };
}

/** Visible ASCII, as addresses have it. */
export function isIdentity(text: string): boolean {
  return text.length <= MAX_IDENTITY_CHARS && /^[\x21-\x7e]+$/.test(text);
}

/** What is wrong with it in few words: its length, or its beginning. */
export function gotIdentity(text: string): string {
  return text.length > MAX_IDENTITY_CHARS ? `got ${text.length} characters` : `got ${quoted(text)}`;
}
