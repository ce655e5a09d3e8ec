import { isToken, parseWholeNumber, skipBlanks, skipToken, trimBlanks } from './characters.ts';
import { parseAddress, type NameAddress } from './address.ts';
import { hasParameter, parameter, parseParameters, type Parameters } from './parameters.ts';
import { parseSipUri } from './uri.ts';

/** Sequence numbers are below 2^32 (RFC 3261 20.16), those we send below 2^31 (8.1.1.5). */
const MAX_SEQUENCE = 4_294_967_295;
const MAX_SECONDS = 4_294_967_295;

export interface CSeq {
  readonly sequence: number;
  readonly method: string;
}

export function parseCSeq(value: string): CSeq | undefined {
  const text = trimBlanks(value);
  const numberEnd = skipToken(text, 0);
  const sequence = parseWholeNumber(text.slice(0, numberEnd), MAX_SEQUENCE);
  const method = text.slice(skipBlanks(text, numberEnd));
  return sequence === undefined || !isToken(method) ? undefined : { sequence, method };
}

function words(value: string): readonly string[] {
  const found: string[] = [];
  for (let at = skipBlanks(value, 0); at < value.length;) {
    let end = at;
    while (end < value.length && value[end] !== ' ' && value[end] !== '\t') end += 1;
    found.push(value.slice(at, end));
    at = skipBlanks(value, end);
  }
  return found;
}

/** `RAck: 776656 1 INVITE` (RFC 3262 7.2). */
export interface RAck {
  readonly responseSequence: number;
  readonly sequence: number;
  readonly method: string;
}

export function parseRAck(value: string): RAck | undefined {
  const [first = '', ...rest] = words(value);
  const responseSequence = parseWholeNumber(first, MAX_SEQUENCE);
  const cseq = parseCSeq(rest.join(' '));
  return responseSequence === undefined || cseq === undefined ? undefined : { responseSequence, ...cseq };
}

/** Whole seconds or numbers: Expires, Min-Expires, Max-Forwards, RSeq, Content-Length. Undefined when not digits. */
export function parseNumber(value: string, max = MAX_SECONDS): number | undefined {
  return parseWholeNumber(trimBlanks(value), max);
}

/** Expires in seconds, the largest when it is larger; undefined when it is no number. */
export function parseExpires(value: string): number | undefined {
  const seconds = parseWholeNumber(trimBlanks(value), Number.POSITIVE_INFINITY);
  return seconds === undefined ? undefined : Math.min(seconds, MAX_SECONDS);
}

/** `Session-Expires: 1800;refresher=uac` and `Min-SE: 90` (RFC 4028). */
export interface SessionExpires {
  readonly seconds: number;
  readonly refresher?: 'uac' | 'uas';
}

export function parseSessionExpires(value: string): SessionExpires | undefined {
  const parsed = parseValue(value);
  const seconds = parsed === undefined ? undefined : parseWholeNumber(parsed.value, MAX_SECONDS);
  if (parsed === undefined || seconds === undefined) return undefined;
  const refresher = parameter(parsed.parameters, 'refresher')?.toLowerCase();
  return refresher === 'uac' || refresher === 'uas' ? { seconds, refresher } : { seconds };
}

export function formatSessionExpires({ seconds, refresher }: SessionExpires): string {
  return refresher === undefined ? String(seconds) : `${seconds};refresher=${refresher}`;
}

/** A token (or Call-ID, media type) and its parameters. */
export interface ParameterizedValue {
  readonly value: string;
  readonly parameters: Parameters;
}

/** `value;name=value`: Event, Subscription-State, Content-Type, Content-Disposition, Reason, Accept's elements. */
export function parseValue(text: string): ParameterizedValue | undefined {
  const semicolon = text.indexOf(';');
  const value = trimBlanks(semicolon < 0 ? text : text.slice(0, semicolon));
  const parameters = semicolon < 0 ? [] : parseParameters(text, semicolon);
  if (value === '' || value.includes(' ') || value.includes('"') || parameters === undefined) return undefined;
  return { value, parameters };
}

/** Lower-case `type/subtype` of a Content-Type or of an element of Accept; undefined when it is none. */
export function mediaType(value: string): string | undefined {
  const semicolon = value.indexOf(';');
  const type = (semicolon < 0 ? value : value.slice(0, semicolon)).toLowerCase();
  const slash = type.indexOf('/');
  const [main, sub] = [trimBlanks(type.slice(0, Math.max(0, slash))), trimBlanks(type.slice(slash + 1))];
  return isToken(main) && isToken(sub) ? `${main}/${sub}` : undefined;
}

/** RFC 3891 3, as a header or out of a Refer-To URI. Without `early-only` it matches confirmed dialogs too. */
export interface Replaces {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  readonly earlyOnly: boolean;
}

export function parseReplaces(value: string): Replaces | undefined {
  const parsed = parseValue(value);
  if (parsed === undefined) return undefined;
  const toTag = parameter(parsed.parameters, 'to-tag');
  const fromTag = parameter(parsed.parameters, 'from-tag');
  // Tags are tokens; a quoted one is none, and would not be written as it was read.
  if (toTag === undefined || fromTag === undefined || !isToken(toTag) || !isToken(fromTag)) return undefined;
  return { callId: parsed.value, toTag, fromTag, earlyOnly: hasParameter(parsed.parameters, 'early-only') };
}

export function formatReplaces({ callId, toTag, fromTag, earlyOnly }: Replaces): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ';early-only' : ''}`;
}

/** Where a REFER sends the peer (RFC 3515), with the dialog to replace when its URI names one. */
export interface ReferTo {
  readonly address: NameAddress;
  readonly replaces?: Replaces;
}

export function parseReferTo(value: string): ReferTo | undefined {
  const address = parseAddress(value);
  if (address === undefined) return undefined;
  const embedded = parseSipUri(address.uri)?.headers.find(({ name }) => name.toLowerCase() === 'replaces')?.value;
  const replaces = embedded === undefined ? undefined : parseReplaces(embedded);
  return replaces === undefined ? { address } : { address, replaces };
}

/** Seconds of `Retry-After: 120 (maintenance);duration=3600`; undefined when broken or over 2^32 (20.33). */
export function parseRetryAfter(value: string): number | undefined {
  const start = skipBlanks(value, 0);
  const end = skipToken(value, start);
  const next = value[skipBlanks(value, end)];
  return next === undefined || next === ';' || next === '('
    ? parseWholeNumber(value.slice(start, end), MAX_SECONDS)
    : undefined;
}

/** First line of a message/sipfrag body (RFC 3420), as NOTIFY reports a transfer; undefined when it has no status. */
export function parseSipfragStatus(body: string): { readonly status: number; readonly reason: string } | undefined {
  const match = /^SIP\/2\.0 (\d{3})(?: ([^\r\n]*))?(?:\r?\n|$)/i.exec(body.slice(0, MAX_SIPFRAG_CHARS));
  return match === null ? undefined : { status: Number(match[1]), reason: match[2] ?? '' };
}
const MAX_SIPFRAG_CHARS = 1024;

export function formatSipfragStatus(status: number, reason: string): string {
  return `SIP/2.0 ${status} ${reason}\r\n`;
}
