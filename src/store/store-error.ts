import { TandemError } from '../base/errors.ts';
import type { StoreErrorCode } from './store.ts';

/** A store refused or failed; the meaning of each code stands at `StoreErrorCode`. */
export class StoreError extends TandemError<StoreErrorCode> {}
