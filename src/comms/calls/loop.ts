import { parseNumber } from '../../wire/sip/header-values.ts';
import { header, type SipHeader, type SipRequest } from '../../wire/sip/message.ts';

// A call of the service to one of its own numbers goes out and comes in again over SIP. The header proves that it is the
// service itself (the secret changes with each start), and counts how often a chain of applications has done so.
const LOOP_HEADER = 'X-Tandem-Loop';

/** Chains of numbers that dial each other end here. */
export const MAX_LOOPS = 5;

export function loopHeader(secret: string, depth: number): SipHeader {
  return { name: LOOP_HEADER, value: `${secret};${depth}` };
}

/** How deep the call is in such a chain; 0 for calls from outside, whatever they claim. */
export function loopDepth(request: SipRequest, secret: string): number {
  const [proof, depth] = (header(request, LOOP_HEADER) ?? '').split(';');
  return proof === secret && depth !== undefined && /^\d{1,3}$/.test(depth) ? Number(depth) : 0;
}

/** Max-Forwards of a call that begins here. */
export const MAX_HOPS = 70;

/** Max-Breadth of a call that begins here (RFC 5393 5.3.3). */
export const MAX_BREADTH = 60;

/**
 * How many places the call may ring at once, all that it leads to together (RFC 5393 5): where each of many devices leads
 * back to the server, the number of calls grows with every hop, and 70 hops are no bound.
 */
export function breadthLeft(request: SipRequest): number {
  return Math.min(MAX_BREADTH, parseNumber(header(request, 'Max-Breadth') ?? '') ?? MAX_BREADTH);
}

/** What each of so many branches has of the breadth; 0: there is none for them. */
export function sharedBreadth(breadth: number, branches: number): number {
  return Math.floor(breadth / Math.max(1, branches));
}

/**
 * How often the call may be carried on (RFC 7332 4: this server counts as a proxy does). Phones that redirect to each
 * other lead through the server again and again, without its header.
 */
export function hopsLeft(request: SipRequest): number {
  return Math.min(MAX_HOPS, parseNumber(header(request, 'Max-Forwards') ?? '') ?? MAX_HOPS);
}
