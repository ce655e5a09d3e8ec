import { TandemError } from '../base/errors.ts';

/**
 * - `refused`: the request breaks a rule of the service; `faultCode` names it.
 * - `not-found`: no such resource in this account.
 * - `ended`: the call (or the party) is over already.
 * - `overloaded`: no capacity now; a repeat later may work.
 * - `storage-full`: nothing can be accepted because the disk is full.
 */
export type CommsErrorCode = 'refused' | 'not-found' | 'ended' | 'overloaded' | 'storage-full';

export interface CommsErrorDetails {
  /** Official number of the API: 21220, 20404, ... */
  readonly faultCode: number;
  /** HTTP status of the answer to the one who asked. */
  readonly httpStatus: number;
  readonly cause?: unknown;
}

/** The service refuses an operation; the REST door answers with `httpStatus` and `{ code: faultCode, message }`. */
export class CommsError extends TandemError<CommsErrorCode> {
  readonly faultCode: number;
  readonly httpStatus: number;

  constructor(code: CommsErrorCode, message: string, details: CommsErrorDetails) {
    super(code, message, details.cause === undefined ? undefined : { cause: details.cause });
    this.faultCode = details.faultCode;
    this.httpStatus = details.httpStatus;
  }
}
