import { TandemError } from '../base/errors.ts';

/**
 * - `unreachable`: no address, no route, or the connection failed.
 * - `timeout`: no final response in 64*T1.
 * - `rejected`: a final response that is not 2xx; `status` holds it.
 * - `glare`: both sides sent a re-INVITE, again and again (491).
 * - `no-ack`: a 2xx that nobody acknowledged.
 * - `cancelled`: the caller gave up before the answer.
 * - `ended`: the call is over.
 * - `overloaded`: a limit of this engine was reached.
 * - `bad-argument`: a URI or header value that cannot be sent.
 */
export type SipErrorCode =
  'unreachable' | 'timeout' | 'rejected' | 'glare' | 'no-ack' | 'cancelled' | 'ended' | 'overloaded' | 'bad-argument';

export class SipError extends TandemError<SipErrorCode> {
  /** The SIP status behind the error; 408, 481, 487 or 503 where no response carried one. */
  readonly status: number | undefined;

  constructor(code: SipErrorCode, message: string, options?: { readonly cause?: unknown; readonly status?: number }) {
    super(code, message, options);
    this.status = options?.status;
  }
}
