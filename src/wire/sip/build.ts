import { parseAddress, tagOf } from './address.ts';
import {
  header,
  NO_BODY,
  SIP_VERSION,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { reasonPhrase } from './reasons.ts';

export interface ResponseOptions {
  readonly status: number;
  /** The usual phrase of the status when left out. */
  readonly reason?: string;
  /** Added to To when the request's To has no tag; every response but 100 wants one (RFC 3261 8.2.6.2). */
  readonly toTag?: string;
  /** Copies Record-Route: for responses that make a dialog (12.1.1). */
  readonly recordRoute?: boolean;
  /** Behind the copied ones, in this order. */
  readonly headers?: readonly SipHeader[];
  readonly body?: Uint8Array;
}

const COPIED = new Set(['Via', 'From', 'To', 'Call-ID', 'CSeq']);

/**
 * The response to a request (8.2.6): Via lines in order, From, To, Call-ID and CSeq are copied as they came, even from a
 * broken request, so that it can be told; Timestamp too in a 100 (8.2.6.1).
 */
export function responseTo(request: SipRequest, options: ResponseOptions): SipResponse {
  const { status, reason = reasonPhrase(status), toTag, recordRoute = false, headers = [], body = NO_BODY } = options;
  const copied: SipHeader[] = [];
  for (const each of request.headers) {
    if (each.name === 'To' && toTag !== undefined) copied.push(withTag(each, toTag));
    else if (COPIED.has(each.name)) copied.push(each);
    else if (each.name === 'Record-Route' && recordRoute) copied.push(each);
    else if (each.name === 'Timestamp' && status === 100) copied.push(each);
  }
  return { kind: 'response', version: SIP_VERSION, status, reason, headers: [...copied, ...headers], body };
}

/** A To that has a tag keeps it, and one that cannot be parsed is left alone. */
function withTag(to: SipHeader, tag: string): SipHeader {
  const address = parseAddress(to.value);
  return address === undefined || tagOf(address) !== undefined ? to : { ...to, value: `${to.value};tag=${tag}` };
}

/** The message with exactly one header of this name: in the place of the first one, else at the end. */
export function withHeader<M extends SipMessage>(message: M, name: string, value: string): M {
  if (header(message, name) === undefined) return { ...message, headers: [...message.headers, { name, value }] };
  let placed = false;
  const headers: SipHeader[] = [];
  for (const each of message.headers) {
    if (each.name !== name) headers.push(each);
    else if (!placed) {
      headers.push({ name, value });
      placed = true;
    }
  }
  return { ...message, headers };
}

/** The message without any header of this name. */
export function withoutHeader<M extends SipMessage>(message: M, name: string): M {
  return { ...message, headers: message.headers.filter((each) => each.name !== name) };
}

/** The message with this header before all others of its name, at the very top: Via, Route, Record-Route. */
export function prependHeader<M extends SipMessage>(message: M, name: string, value: string): M {
  return { ...message, headers: [{ name, value }, ...message.headers] };
}

/** The message with this header behind all others. */
export function appendHeader<M extends SipMessage>(message: M, name: string, value: string): M {
  return { ...message, headers: [...message.headers, { name, value }] };
}

/** The message with the value of its first header of this name changed; other lines of the name stay. */
export function replaceFirstHeader<M extends SipMessage>(message: M, name: string, value: string): M {
  const index = message.headers.findIndex((each) => each.name === name);
  return index < 0 ? message : { ...message, headers: message.headers.with(index, { name, value }) };
}

/** The message with another body and its type; without a type there is no Content-Type. */
export function withContent<M extends SipMessage>(message: M, body: Uint8Array, contentType?: string): M {
  const bare = { ...withoutHeader(message, 'Content-Type'), body };
  return contentType === undefined ? bare : appendHeader(bare, 'Content-Type', contentType);
}
