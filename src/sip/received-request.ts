import { formatEndpoint } from '../base/network.ts';
import { parseAddress, tagOf, type NameAddress } from '../wire/sip/address.ts';
import { parseCSeq, type CSeq } from '../wire/sip/header-values.ts';
import { isIpAddress, sameHost } from '../wire/sip/host.ts';
import { header, headers, type SipMessage, type SipRequest } from '../wire/sip/message.ts';
import { hasParameter, splitCommas, withParameter } from '../wire/sip/parameters.ts';
import { branchOf, formatVia, isUniqueBranch, parseTopVia, type Via } from '../wire/sip/via.ts';
import type { Flow } from './transport/hop.ts';

/** A request with the facts that every layer asks for, read once. */
export interface ReceivedRequest {
  /** With `received` and `rport` in its top Via. */
  readonly message: SipRequest;
  /** The name of its server transaction. */
  readonly key: string;
  readonly method: string;
  readonly flow: Flow;
  readonly via: Via;
  readonly callId: string;
  readonly cseq: number;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly fromTag: string | undefined;
  readonly toTag: string | undefined;
}

export interface Stamped {
  readonly message: SipRequest;
  readonly via: Via;
}

/** The request with its top Via completed; undefined when it has no Via that an answer could follow. */
export function stampVia(message: SipRequest, flow: Flow): Stamped | undefined {
  const index = message.headers.findIndex((each) => each.name === 'Via');
  const line = message.headers[index]?.value;
  const via = line === undefined ? undefined : parseTopVia([line]);
  if (line === undefined || via === undefined) return undefined;
  let { parameters } = via;
  const wantsPort = hasParameter(parameters, 'rport');
  // RFC 3581 4: rport is filled, and then `received` stands there even when it says the same as sent-by.
  if (wantsPort) parameters = withParameter(parameters, 'rport', String(flow.remote.port));
  // RFC 3261 18.2.1: `received` when sent-by is a name or another address.
  const { address } = flow.remote;
  const isSender = via.host === address || (isIpAddress(via.host) && sameHost(via.host, address));
  if (wantsPort || !isSender) {
    parameters = withParameter(parameters, 'received', address);
  }
  if (parameters === via.parameters) return { message, via };
  const stamped: Via = { ...via, parameters };
  const rest = splitCommas(line).slice(1);
  const value = [formatVia(stamped), ...rest].join(', ');
  const changed = message.headers.with(index, { name: 'Via', value });
  return { message: { ...message, headers: changed }, via: stamped };
}

/** The facts of a request that the validator found whole; undefined when one of them is missing or broken. */
export function readRequest(message: SipRequest, via: Via, flow: Flow): ReceivedRequest | undefined {
  const from = parseAddress(header(message, 'From') ?? '');
  const to = parseAddress(header(message, 'To') ?? '');
  const callId = header(message, 'Call-ID');
  const cseq = readCSeq(message);
  if (from === undefined || to === undefined || callId === undefined || cseq === undefined) return undefined;
  const { method } = message;
  const facts = { message, method, flow, via, callId, cseq: cseq.sequence, from, to };
  const read = { ...facts, fromTag: tagOf(from), toTag: tagOf(to) };
  return { ...read, key: serverKey(read, method) };
}

export function readCSeq(message: SipMessage): CSeq | undefined {
  return parseCSeq(header(message, 'CSeq') ?? '');
}

/**
 * The name of the server transaction that a request of this method belongs to; ACK finds its INVITE.
 * RFC 3261 17.2.3: branch, sent-by and method; without the cookie what RFC 2543 compared.
 */
export function serverKey(request: Omit<ReceivedRequest, 'key'>, method: string): string {
  const matched = method === 'ACK' ? 'INVITE' : method;
  const branch = branchOf(request.via);
  if (isUniqueBranch(branch)) return `${branch}|${request.via.host}|${request.via.port ?? ''}|${matched}`;
  const via = headers(request.message, 'Via')[0] ?? '';
  return `2543|${request.message.uri}|${request.fromTag ?? ''}|${request.callId}|${request.cseq}|${via}|${matched}`;
}

/** The name of the client transaction that a response belongs to (17.1.3); undefined when it answers nothing of ours. */
export function clientKey(response: SipMessage): string | undefined {
  const lines = headers(response, 'Via');
  // RFC 3261 8.1.3.3: more than one Via means that the response went astray.
  if (lines.length !== 1 || splitCommas(lines[0] ?? '').length !== 1) return undefined;
  const via = parseTopVia(lines);
  const branch = via === undefined ? undefined : branchOf(via);
  const cseq = readCSeq(response);
  return branch === undefined || cseq === undefined ? undefined : `${branch}|${cseq.method}`;
}

export function describeRequest(request: ReceivedRequest): object {
  return { method: request.method, callId: request.callId, from: formatEndpoint(request.flow.remote) };
}
