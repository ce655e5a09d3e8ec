import { TandemError } from '../base/errors.ts';

/** `full`: the lane holds as much as it can send in its longest wait. */
export type LaneErrorCode = 'full';

export class LaneError extends TandemError<LaneErrorCode> {}
