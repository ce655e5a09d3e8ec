import { TandemError } from '../base/errors.ts';

export type SpeechErrorCode =
  | 'failed'
  | 'too-long'
  /** No program that speaks was found; the message names ways to get one. */
  | 'no-engine';

/** Text could not be turned into sound. */
export class SpeechError extends TandemError<SpeechErrorCode> {}
