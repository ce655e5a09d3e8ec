import { isToken } from './characters.ts';

/** A header as it stood in the message; order and repetition are kept. */
export interface SipHeader {
  /** Long form in its usual spelling (`Via`, `Call-ID`), whatever form arrived; unknown names keep their own spelling. */
  readonly name: string;
  /** Unfolded, without surrounding blanks. */
  readonly value: string;
}

/** The only version there is; a message that says another is answered with 505 (RFC 3261 21.5.6). */
export const SIP_VERSION = 'SIP/2.0';

export const NO_BODY: Uint8Array = new Uint8Array(0);

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  /** Request-URI as text. */
  readonly uri: string;
  /** `SIP/2.0`; upper case whatever arrived. */
  readonly version: string;
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
  /** What the parser found broken; such a request is answered with 400 (RFC 4475: parse first, then refuse). */
  readonly defect?: string;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  /** `SIP/2.0`; upper case whatever arrived. */
  readonly version: string;
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
  /** What the parser found broken; such a response is dropped. */
  readonly defect?: string;
}

export type SipMessage = SipRequest | SipResponse;

const COMPACT_NAMES: readonly (readonly [string, string])[] = [
  ['a', 'Accept-Contact'],
  ['b', 'Referred-By'],
  ['c', 'Content-Type'],
  ['d', 'Request-Disposition'],
  ['e', 'Content-Encoding'],
  ['f', 'From'],
  ['i', 'Call-ID'],
  ['j', 'Reject-Contact'],
  ['k', 'Supported'],
  ['l', 'Content-Length'],
  ['m', 'Contact'],
  ['o', 'Event'],
  ['r', 'Refer-To'],
  ['s', 'Subject'],
  ['t', 'To'],
  ['u', 'Allow-Events'],
  ['v', 'Via'],
  ['x', 'Session-Expires'],
  ['y', 'Identity'],
];

const USUAL_NAMES = (
  'Accept Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info ' +
  'Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language ' +
  'Content-Length Content-Type CSeq Date Diversion Error-Info Event ' +
  'Expires Flow-Timer From History-Info In-Reply-To Join Max-Breadth ' +
  'Max-Forwards MIME-Version Min-Expires Min-SE Organization P-Asserted-Identity P-Preferred-Identity ' +
  'Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck ' +
  'Reason Record-Route Refer-Sub Refer-To Referred-By Replaces Reply-To ' +
  'Require Retry-After Route RSeq Server Service-Route Session-Expires ' +
  'SIP-ETag SIP-If-Match Subject Subscription-State Supported Target-Dialog Timestamp ' +
  'To Unsupported User-Agent Via Warning WWW-Authenticate'
).split(' ');

/** Usual spelling, all lower case and compact form, each to the usual spelling: most names are found at the first look. */
const KNOWN_NAMES: ReadonlyMap<string, string> = new Map([
  ...COMPACT_NAMES.flatMap(([compact, name]): [string, string][] => [
    [compact, name],
    [name.toLowerCase(), name],
    [name, name],
  ]),
  ...USUAL_NAMES.flatMap((name): [string, string][] => [
    [name, name],
    [name.toLowerCase(), name],
  ]),
]);

/** Long form in its usual spelling (RFC 3261 7.3.3, 20); undefined when the text is no name of a header. */
export function canonicalHeaderName(name: string): string | undefined {
  return KNOWN_NAMES.get(name) ?? KNOWN_NAMES.get(name.toLowerCase()) ?? (isToken(name) ? name : undefined);
}

/** First value of a header, by its usual long name. */
export function header(message: SipMessage, name: string): string | undefined {
  for (const each of message.headers) if (each.name === name) return each.value;
  return undefined;
}

/** All values of a header, in order, one per line of the message (comma lists are not split). */
export function headers(message: SipMessage, name: string): readonly string[] {
  const values: string[] = [];
  for (const each of message.headers) if (each.name === name) values.push(each.value);
  return values;
}
