import type { SqlValue, StoreErrorCode, WriteResult } from './store.ts';

/** A statement whose text was sent with an earlier one: its place among the texts that the thread knows. */
export interface SentStatement {
  readonly text: number;
  readonly parameters: readonly SqlValue[];
  readonly expectedRows: number | undefined;
}

export type ToThread =
  | {
      readonly kind: 'commit';
      /** The thread forgets the texts that it knows before it learns these. */
      readonly forgetTexts: boolean;
      readonly newTexts: readonly string[];
      readonly group: readonly (readonly SentStatement[])[];
    }
  | { readonly kind: 'close' };

export type SentOutcome =
  | { readonly kind: 'done'; readonly results: readonly WriteResult[] }
  | { readonly kind: 'refused'; readonly code: StoreErrorCode; readonly message: string }
  | { readonly kind: 'again' };

/** The answer to one `commit`. */
export interface FromThread {
  readonly outcomes: readonly SentOutcome[];
}
