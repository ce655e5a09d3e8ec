import { TandemError } from '../base/errors.ts';
import type { MediaErrorCode } from './media-node.ts';

/** A media operation failed; the code tells the call service what to answer. */
export class MediaError extends TandemError<MediaErrorCode> {}
