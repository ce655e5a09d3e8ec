import { TandemError } from '../base/errors.ts';

/**
 * - `too-large`: key, id or value is longer than its limit.
 * - `full`: the key has as many values, or the directory as many keys, as it may.
 * - `bad-ttl`: not above 0, or above the limit.
 */
export type DirectoryErrorCode = 'too-large' | 'full' | 'bad-ttl';

export class DirectoryError extends TandemError<DirectoryErrorCode> {}
