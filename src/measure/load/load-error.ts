import { TandemError } from '../../base/errors.ts';

/**
 * `bad-words`: options that cannot be used; `refused`: the server does not let the tool prepare; `gone`: the server
 * does not answer (any more).
 */
export type LoadErrorCode = 'bad-words' | 'refused' | 'gone';

export class LoadError extends TandemError<LoadErrorCode> {}
