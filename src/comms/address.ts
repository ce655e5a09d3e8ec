/** Who is called or who calls, parsed from the text forms that the API and TwiML use. */
export type Address =
  | {
      readonly kind: 'number';
      /** `+` and 7 to 15 digits, or 2 to 6 digits (emergency, extension, short code). */ readonly number: string;
    }
  | { readonly kind: 'sip'; /** With scheme, as given. */ readonly uri: string }
  | { readonly kind: 'client'; readonly identity: string };

export interface NumberRules {
  /** Put before ten digits that come without `+`; the API's own rule is 1. Empty: such numbers are refused. */
  readonly countryCode?: string;
}

const MAX_ADDRESS_CHARS = 255;
const MAX_IDENTITY_CHARS = 121;
const DEFAULT_COUNTRY_CODE = '1';

/** Undefined when the text is none of: a phone number, `sip:user@host`, `sips:user@host`, `client:identity`. */
export function parseAddress(text: string, rules?: NumberRules): Address | undefined {
  const trimmed = text.trim();
  if (trimmed.length > MAX_ADDRESS_CHARS) return undefined;
  const scheme = /^(sips?|client):/i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === 'client') return parseClient(trimmed.slice('client:'.length));
  if (scheme !== undefined) return parseSipUri(trimmed);
  const number = parseNumber(trimmed, rules);
  return number === undefined ? undefined : { kind: 'number', number };
}

/** The text under which calls and webhooks show the address. */
export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'number':
      return address.number;
    case 'sip':
      return address.uri;
    case 'client':
      return `client:${address.identity}`;
    default:
      return address satisfies never;
  }
}

/** Normalises a phone number to E.164 (or a short number); undefined when it can be neither. */
export function parseNumber(text: string, rules?: NumberRules): string | undefined {
  if (!/^\+?[\d\s().\-/]+$/.test(text)) return undefined;
  const digits = text.replace(/\D/g, '');
  // E.164 country codes start at 1: `+0...` can reach nobody.
  if (text.startsWith('+')) return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : undefined;
  if (digits.length >= 2 && digits.length <= 6) return digits;
  const countryCode = rules?.countryCode ?? DEFAULT_COUNTRY_CODE;
  if (digits.length === 10 && countryCode !== '') return parseNumber(`+${countryCode}${digits}`);
  // A `+` that was not percent-encoded arrives as a blank: the country code is there.
  return /^[1-9]\d{10,14}$/.test(digits) ? `+${digits}` : undefined;
}

function parseClient(identity: string): Address | undefined {
  if (identity.length === 0 || identity.length > MAX_IDENTITY_CHARS || !/^[\x21-\x7e]+$/.test(identity))
    return undefined;
  return { kind: 'client', identity };
}

// Only what makes the URI safe to pass on: the SIP codec parses it fully where it is dialled.
function parseSipUri(uri: string): Address | undefined {
  return /^sips?:[^\s<>"@]+@[^\s<>"@]+$/i.test(uri) && /^[\x21-\x7e]+$/.test(uri) ? { kind: 'sip', uri } : undefined;
}
