import { parseAddress, parseAddressList, tagOf, formatAddress } from '../../wire/sip/address.ts';
import { parseCSeq } from '../../wire/sip/header-values.ts';
import {
  header,
  headers,
  NO_BODY,
  SIP_VERSION,
  type SipHeader,
  type SipRequest,
  type SipResponse,
} from '../../wire/sip/message.ts';
import { hasParameter } from '../../wire/sip/parameters.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import type { ReceivedRequest } from '../received-request.ts';

const MAX_FORWARDS = '70';

export interface DialogRequest {
  readonly method: string;
  readonly headers?: readonly SipHeader[];
  readonly body?: Uint8Array;
}

interface DialogParts {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  readonly localSequence: number;
  readonly remoteSequence: number | undefined;
}

/** The name of a dialog at this side (RFC 3261 12). */
export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}|${localTag}|${remoteTag}`;
}

/** A peer-to-peer relation between two user agents (RFC 3261 12): makes its requests and keeps their order. No I/O. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly routeSet: readonly string[];
  readonly #local: string;
  readonly #remote: string;
  #remoteTarget: string;
  #localSequence: number;
  #remoteSequence: number | undefined;

  private constructor(parts: DialogParts) {
    this.callId = parts.callId;
    this.localTag = parts.localTag;
    this.remoteTag = parts.remoteTag;
    this.routeSet = parts.routeSet;
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#remoteTarget = parts.remoteTarget;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
  }

  /** The caller's side, out of a response with a To tag (12.1.2); undefined when the response cannot make a dialog. */
  static forCaller(invite: SipRequest, response: SipResponse): Dialog | undefined {
    const from = header(invite, 'From') ?? '';
    const to = header(response, 'To') ?? '';
    const localTag = tagIn(from);
    const remoteTag = tagIn(to);
    const target = contactUri(response);
    const route = routeOf(response);
    const sequence = parseCSeq(header(invite, 'CSeq') ?? '')?.sequence;
    if (localTag === undefined || remoteTag === undefined || route === undefined || sequence === undefined)
      return undefined;
    return new Dialog({
      callId: header(invite, 'Call-ID') ?? '',
      local: from,
      remote: to,
      localTag,
      remoteTag,
      // A 2xx must carry a Contact; where a peer forgot it the Request-URI is the best there is.
      remoteTarget: target ?? invite.uri,
      routeSet: route.toReversed(),
      localSequence: sequence,
      remoteSequence: undefined,
    });
  }

  /** The callee's side (12.1.1); undefined when the request has no usable Contact or Record-Route. */
  static forCallee(request: ReceivedRequest, localTag: string): Dialog | undefined {
    const { message, callId, fromTag } = request;
    const remoteTarget = contactUri(message);
    const routeSet = routeOf(message);
    if (remoteTarget === undefined || routeSet === undefined) return undefined;
    return new Dialog({
      callId,
      local: `${header(message, 'To') ?? ''};tag=${localTag}`,
      remote: header(message, 'From') ?? '',
      localTag,
      // 12.1.1: a peer of RFC 2543 may have no tag.
      remoteTag: fromTag ?? '',
      remoteTarget,
      routeSet,
      localSequence: 0,
      remoteSequence: request.cseq,
    });
  }

  get key(): string {
    return dialogKey(this.callId, this.localTag, this.remoteTag);
  }

  get remoteTarget(): string {
    return this.#remoteTarget;
  }

  /** The URI whose host the next request goes to: the first route, or the remote target. */
  get nextHop(): string {
    const first = this.routeSet[0];
    return first === undefined ? this.#remoteTarget : (parseAddress(first)?.uri ?? this.#remoteTarget);
  }

  /** A new request of this side, one CSeq higher. */
  request(request: DialogRequest): SipRequest {
    this.#localSequence += 1;
    return this.#make(request, this.#localSequence);
  }

  /** The ACK of a 2xx: the number of its INVITE (13.2.2.4). */
  ack(sequence: number, extra: readonly SipHeader[], body: Uint8Array = NO_BODY): SipRequest {
    return this.#make({ method: 'ACK', headers: extra, body }, sequence);
  }

  /** Takes the CSeq of a request from the peer; false when it is not higher than those before (12.2.2). */
  takeSequence(sequence: number): boolean {
    if (this.#remoteSequence !== undefined && sequence <= this.#remoteSequence) return false;
    this.#remoteSequence = sequence;
    return true;
  }

  /** Re-INVITE and UPDATE move the remote target, never the route set (12.2.1.2). */
  refreshTarget(message: SipRequest | SipResponse): void {
    this.#remoteTarget = contactUri(message) ?? this.#remoteTarget;
  }

  #make({ method, headers: extra = [], body = NO_BODY }: DialogRequest, sequence: number): SipRequest {
    const { uri, route } = this.#address();
    return {
      kind: 'request',
      method,
      uri,
      version: SIP_VERSION,
      headers: [
        { name: 'Max-Forwards', value: MAX_FORWARDS },
        ...route.map((value) => ({ name: 'Route', value })),
        { name: 'From', value: this.#local },
        { name: 'To', value: this.#remote },
        { name: 'Call-ID', value: this.callId },
        { name: 'CSeq', value: `${sequence} ${method}` },
        ...extra,
      ],
      body,
    };
  }

  /** 12.2.1.1: a first route without `lr` is a strict router and takes the Request-URI's place. */
  #address(): { readonly uri: string; readonly route: readonly string[] } {
    const [first, ...rest] = this.routeSet;
    const address = first === undefined ? undefined : parseAddress(first);
    const uri = address === undefined ? undefined : parseSipUri(address.uri);
    if (address === undefined || uri === undefined || hasParameter(uri.parameters, 'lr')) {
      return { uri: this.#remoteTarget, route: this.routeSet };
    }
    return { uri: address.uri, route: [...rest, `<${this.#remoteTarget}>`] };
  }
}

function tagIn(value: string): string | undefined {
  const address = parseAddress(value);
  return address === undefined ? undefined : tagOf(address);
}

/** The single SIP Contact of a message, as a Request-URI (without headers and `method`, 19.1.1). */
function contactUri(message: SipRequest | SipResponse): string | undefined {
  const contact = parseAddressList(headers(message, 'Contact'))?.[0];
  const uri = contact === undefined ? undefined : parseSipUri(contact.uri);
  if (contact === undefined || uri === undefined || uri.scheme === 'tel') return undefined;
  const question = contact.uri.indexOf('?', contact.uri.indexOf('@') + 1);
  return question < 0 ? contact.uri : contact.uri.slice(0, question);
}

function routeOf(message: SipRequest | SipResponse): readonly string[] | undefined {
  return parseAddressList(headers(message, 'Record-Route'))?.map(formatAddress);
}
