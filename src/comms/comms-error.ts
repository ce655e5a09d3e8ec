import { TandemError } from '../base/errors.ts';

/**
 * A wish of the API's caller or of a call that cannot be met. `apiCode` is the official error number and `httpStatus`
 * the status that the REST door answers with.
 */
export class CommsError extends TandemError {
  readonly apiCode: number;
  readonly httpStatus: number;

  constructor(code: string, message: string, api?: { readonly code: number; readonly status: number; readonly cause?: unknown }) {
    super(code, message, api?.cause === undefined ? {} : { cause: api.cause });
    this.apiCode = api?.code ?? 20_500;
    this.httpStatus = api?.status ?? 500;
  }
}
