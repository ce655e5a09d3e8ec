import { hash } from 'node:crypto';
import { responseTo, type ResponseOptions } from '../wire/sip/build.ts';
import type { SipHeader, SipResponse } from '../wire/sip/message.ts';
import { branchOf } from '../wire/sip/via.ts';
import type { ReceivedRequest } from './received-request.ts';

const STATELESS_TAG_CHARS = 16;

/** Makes responses: our name on each, and a To tag on all but 100 (RFC 3261 8.2.6.2). */
export class Responses {
  readonly #server: SipHeader;
  readonly #secret: string;

  /** `secret` keeps the tags of stateless answers from being guessed. */
  constructor(serverName: string, secret: string) {
    this.#server = { name: 'Server', value: serverName };
    this.#secret = secret;
  }

  make(request: ReceivedRequest, status: number, options: Omit<ResponseOptions, 'status'> = {}): SipResponse {
    const tag = status === 100 ? {} : { toTag: options.toTag ?? this.#tag(request) };
    return responseTo(request.message, {
      ...options,
      ...tag,
      status,
      headers: [this.#server, ...(options.headers ?? [])],
    });
  }

  /** RFC 3261 8.2.7: the same request gets the same tag, without anything being remembered. */
  #tag(request: ReceivedRequest): string {
    const text = `${this.#secret}|${branchOf(request.via) ?? ''}|${request.callId}|${request.cseq}`;
    return hash('sha1', text, 'hex').slice(0, STATELESS_TAG_CHARS);
  }
}
