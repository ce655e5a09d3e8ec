import { TandemError } from '../base/errors.ts';
import type { MediaErrorCode } from './media-node.ts';

/** A media operation failed; `code` is one of the port's codes. */
export class MediaError extends TandemError<MediaErrorCode> {}
