import { quoted } from '../../base/parsed.ts';
import { parseAddress, parseContacts, type NameAddress } from './address.ts';
import { isAll, isDigits, VISIBLE } from './characters.ts';
import { mediaType, parseCSeq, parseNumber } from './header-values.ts';
import {
  header,
  headers,
  SIP_VERSION,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { parameter, parseParameters, splitCommas, tokenList } from './parameters.ts';
import { reasonPhrase } from './reasons.ts';
import { MAX_URI_CHARS, parseSipUri, uriScheme } from './uri.ts';
import { parseViaList, type Via } from './via.ts';

/** What this endpoint can do; the answers that refuse a request name it (Allow, Accept, Unsupported). */
export interface Abilities {
  readonly methods: readonly string[];
  /** Option tags that a Require may name. */
  readonly extensions: readonly string[];
  /** Schemes of a Request-URI that can be served, lower case. */
  readonly schemes: readonly string[];
  /** Lower-case media types that a request of this method may carry; undefined: any, it is not read. */
  readonly contentTypes: (method: string) => readonly string[] | undefined;
  /** Lower-case media type that the answer to this method carries, when it carries one: the request must accept it. */
  readonly answerType: (method: string) => string | undefined;
}

export type Verdict =
  | { readonly kind: 'ok' }
  /** `defect` tells people what is wrong; `headers` belong to the response. */
  | {
      readonly kind: 'reject';
      readonly status: number;
      readonly reason: string;
      readonly defect: string;
      readonly headers: readonly SipHeader[];
    }
  /** Says nothing to the sender: an ACK or a response that is broken (RFC 3261 8.1.3.3, 17.1.1.3). */
  | { readonly kind: 'drop'; readonly reason: string };

type Refusal = Extract<Verdict, { kind: 'reject' }>;
type Check = (request: SipRequest, abilities: Abilities, read: ReadHeaders | undefined) => Refusal | undefined;

/** What the caller has parsed of this very request: it is not parsed once more. */
export interface ReadHeaders {
  /** The topmost. */
  readonly via: Via;
  readonly from: NameAddress;
  readonly to: NameAddress;
}

const OK: Verdict = { kind: 'ok' };
const MAX_FORWARDS = 255;

/** In the order of RFC 3261 8.2: what makes a message, then the method, then its headers, then its content. */
const CHECKS: readonly Check[] = [
  checkVersion,
  checkParsing,
  checkSingles,
  checkVia,
  checkParties,
  checkSequence,
  checkNumbers,
  checkContact,
  checkMethod,
  checkRequestUri,
  checkRequire,
  checkContent,
  checkAccept,
];

/**
 * What an endpoint owes a request before it looks at its own state. Loops, authentication, dialogs and the registrar's
 * rules come after. Missing tags and branches are RFC 2543's and pass.
 */
export function validateRequest(request: SipRequest, abilities: Abilities, read?: ReadHeaders): Verdict {
  for (const check of CHECKS) {
    const refusal = check(request, abilities, read);
    // 17.1.1.3: an ACK never has a response.
    if (refusal !== undefined) return request.method === 'ACK' ? { kind: 'drop', reason: refusal.defect } : refusal;
  }
  return OK;
}

function refuse(status: number, defect: string, extra: readonly SipHeader[] = []): Refusal {
  return { kind: 'reject', status, reason: reasonPhrase(status), defect, headers: extra };
}

function checkVersion({ version }: SipRequest): Refusal | undefined {
  return version === SIP_VERSION ? undefined : refuse(505, `version ${quoted(version)}: want ${SIP_VERSION}`);
}

function checkParsing({ defect }: SipRequest): Refusal | undefined {
  return defect === undefined ? undefined : refuse(400, defect);
}

const REQUIRED = ['From', 'To', 'Call-ID', 'CSeq'];
const AT_MOST_ONE = [
  'Max-Forwards',
  'Content-Type',
  'Expires',
  'Event',
  'Refer-To',
  'Replaces',
  'RAck',
  'Session-Expires',
];

function singlesDefect(message: SipMessage): string | undefined {
  for (const name of REQUIRED) {
    const count = countOf(message, name);
    if (count !== 1) return `${count} ${name} headers: want exactly one`;
  }
  for (const name of AT_MOST_ONE) {
    const count = countOf(message, name);
    if (count > 1) return `${count} ${name} headers: want at most one`;
  }
  const callId = header(message, 'Call-ID') ?? '';
  if (!isAll(callId, VISIBLE)) return `Call-ID ${quoted(callId)}: want a word without blanks`;
  return undefined;
}

function countOf(message: SipMessage, name: string): number {
  let count = 0;
  for (const each of message.headers) if (each.name === name) count += 1;
  return count;
}

function checkSingles(request: SipRequest): Refusal | undefined {
  const defect = singlesDefect(request);
  return defect === undefined ? undefined : refuse(400, defect);
}

function checkVia(request: SipRequest, _abilities: Abilities, read?: ReadHeaders): Refusal | undefined {
  const values = headers(request, 'Via');
  if (values.length === 0) return refuse(400, 'no Via: want at least one');
  if (read !== undefined && values.length === 1 && !(values[0] as string).includes(',')) return undefined;
  return parseViaList(values) === undefined
    ? refuse(400, `Via ${quoted(values.join(', '))}: cannot be read`)
    : undefined;
}

function partiesDefect(message: SipMessage): string | undefined {
  for (const name of ['From', 'To']) {
    const value = header(message, name) ?? '';
    if (parseAddress(value) === undefined) return `${name} ${quoted(value)}: want one address`;
  }
  return undefined;
}

function checkParties(request: SipRequest, _abilities: Abilities, read?: ReadHeaders): Refusal | undefined {
  const defect = read === undefined ? partiesDefect(request) : undefined;
  return defect === undefined ? undefined : refuse(400, defect);
}

function checkSequence(request: SipRequest): Refusal | undefined {
  const value = header(request, 'CSeq') ?? '';
  const cseq = parseCSeq(value);
  if (cseq === undefined) return refuse(400, `CSeq ${quoted(value)}: want a number below 2^32 and a method`);
  if (cseq.method !== request.method) return refuse(400, `CSeq ${quoted(value)}: want the method ${request.method}`);
  return undefined;
}

function checkNumbers(request: SipRequest): Refusal | undefined {
  const hops = header(request, 'Max-Forwards');
  if (hops !== undefined && parseNumber(hops, MAX_FORWARDS) === undefined)
    return refuse(400, `Max-Forwards ${quoted(hops)}: want 0 to ${MAX_FORWARDS}`);
  const expires = header(request, 'Expires');
  // Too large a number is cut where it is read (RFC 4475 3.1.2.4), what is no number is refused.
  if (expires !== undefined && !isDigits(expires)) return refuse(400, `Expires ${quoted(expires)}: want seconds`);
  return undefined;
}

function checkContact(request: SipRequest): Refusal | undefined {
  const values = headers(request, 'Contact');
  const contacts = values.length === 0 ? [] : parseContacts(values);
  if (contacts === undefined) return refuse(400, `Contact ${quoted(values.join(', '))}: want addresses, or * alone`);
  // 10.2.2: `*` removes everything and is nothing else.
  if (contacts === '*' && (request.method !== 'REGISTER' || parseNumber(header(request, 'Expires') ?? '') !== 0))
    return refuse(400, 'Contact *: want a REGISTER with Expires 0');
  return undefined;
}

/** Methods that SIP has; others are not recognized. */
const KNOWN_METHODS = new Set(
  'ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE'.split(' '),
);

/** 405 for a method we know and do not serve (8.2.1), 501 for one that nobody knows (21.5.2). */
function checkMethod({ method }: SipRequest, { methods }: Abilities): Refusal | undefined {
  if (methods.includes(method)) return undefined;
  const allow = { name: 'Allow', value: methods.join(', ') };
  return refuse(KNOWN_METHODS.has(method) ? 405 : 501, `method ${quoted(method)}: want ${allow.value}`, [allow]);
}

function checkRequestUri({ uri }: SipRequest, { schemes }: Abilities): Refusal | undefined {
  if (uri.length > MAX_URI_CHARS) return refuse(414, `Request-URI of ${uri.length} characters: want ${MAX_URI_CHARS}`);
  const scheme = uriScheme(uri);
  if (scheme === undefined) return refuse(400, `Request-URI ${quoted(uri)}: want a URI`);
  if (!schemes.includes(scheme)) return refuse(416, `scheme ${quoted(scheme)}: want ${schemes.join(', ')}`);
  const parsed = parseSipUri(uri);
  if (parsed === undefined) return refuse(400, `Request-URI ${quoted(uri)}: cannot be read`);
  // 19.1.1, table 1: headers are not allowed in a Request-URI (RFC 4475 3.1.2.11).
  return parsed.headers.length > 0 ? refuse(400, `Request-URI ${quoted(uri)}: want no headers in it`) : undefined;
}

function checkRequire(request: SipRequest, { extensions }: Abilities): Refusal | undefined {
  // 8.2.2.3: never for CANCEL; it would leave the call ringing.
  if (request.method === 'CANCEL') return undefined;
  const required = headers(request, 'Require');
  if (required.length === 0) return undefined;
  const unknown = tokenList(required).filter((tag) => !extensions.includes(tag.toLowerCase()));
  if (unknown.length === 0) return undefined;
  const unsupported = { name: 'Unsupported', value: unknown.join(', ') };
  return refuse(420, `Require ${quoted(unsupported.value)}: not known here`, [unsupported]);
}

function checkContent(request: SipRequest, { contentTypes }: Abilities): Refusal | undefined {
  const accepted = request.body.length === 0 ? undefined : contentTypes(request.method);
  if (accepted === undefined || isOptionalContent(request)) return undefined;
  const value = header(request, 'Content-Type');
  if (value === undefined) return refuse(400, 'a body without Content-Type');
  const type = mediaType(value);
  if (type === undefined) return refuse(400, `Content-Type ${quoted(value)}: want type/subtype`);
  if (!accepted.includes(type))
    return refuse(415, `Content-Type ${quoted(value)}: want ${accepted.join(', ')}`, [
      { name: 'Accept', value: accepted.join(', ') },
    ]);
  const encodings = tokenList(headers(request, 'Content-Encoding')).filter((each) => each.toLowerCase() !== 'identity');
  if (encodings.length === 0) return undefined;
  return refuse(415, `Content-Encoding ${quoted(encodings.join(', '))}: want identity`, [
    { name: 'Accept-Encoding', value: 'identity' },
  ]);
}

/** `Content-Disposition: …;handling=optional` asks to ignore what is not understood (8.2.3). */
function isOptionalContent(request: SipRequest): boolean {
  const value = header(request, 'Content-Disposition');
  const semicolon = value?.indexOf(';') ?? -1;
  if (value === undefined || semicolon < 0) return false;
  return parameter(parseParameters(value, semicolon) ?? [], 'handling')?.toLowerCase() === 'optional';
}

function checkAccept(request: SipRequest, { answerType }: Abilities): Refusal | undefined {
  const type = answerType(request.method);
  const lines = headers(request, 'Accept');
  if (type === undefined || lines.length === 0) return undefined;
  const family = `${type.slice(0, type.indexOf('/'))}/*`;
  const accepts = lines.some((line) =>
    splitCommas(line).some((piece) => ['*/*', family, type].includes(mediaType(piece) ?? '')),
  );
  return accepts ? undefined : refuse(406, `Accept ${quoted(lines.join(', '))}: the answer is ${type}`);
}

/** Whether a response may be given to its transaction. At a user agent one with more than one Via is a stray (8.1.3.3). */
export function validateResponse(response: SipResponse, options: { readonly manyVias?: boolean } = {}): Verdict {
  const reason = responseDefect(response, options.manyVias ?? false);
  return reason === undefined ? OK : { kind: 'drop', reason };
}

function responseDefect(response: SipResponse, manyVias: boolean): string | undefined {
  if (response.defect !== undefined) return response.defect;
  if (response.version !== SIP_VERSION) return `version ${quoted(response.version)}`;
  if (response.status < 100 || response.status > 699) return `status ${response.status}: want 100 to 699`;
  const vias = parseViaList(headers(response, 'Via'));
  if (vias === undefined || vias.length === 0) return 'no Via that can be read';
  if (vias.length > 1 && !manyVias) return `${vias.length} Vias: want ours alone`;
  if (parseCSeq(header(response, 'CSeq') ?? '') === undefined) return 'no CSeq that can be read';
  return singlesDefect(response) ?? partiesDefect(response);
}
