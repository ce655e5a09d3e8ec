import { TandemError } from '../base/errors.ts';
import type { HttpFailureKind } from './outgoing.ts';

/** An outgoing request gave no complete response; the meaning of each code stands at `HttpFailureKind`. */
export class HttpError extends TandemError<HttpFailureKind> {}
