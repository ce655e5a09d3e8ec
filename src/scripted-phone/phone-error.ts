import { TandemError } from '../base/errors.ts';

export type PhoneErrorCode =
  | 'not-heard' // what was expected did not come
  | 'not-ended'
  | 'not-requested'
  | 'not-dialled'
  | 'not-silent'
  | 'not-connected' // the call ended, or was never answered
  | 'fault' // the flow failed by itself
  | 'bad-option'
  | 'bad-script';

/** An expectation did not hold, or the phone was asked for what it cannot do. */
export class PhoneError extends TandemError<PhoneErrorCode> {}
