import type { SqlValue, StoreErrorCode, WriteResult } from './store.ts';

/** The place of its text among those that the thread knows, its values, and how many rows it wants (null: any). */
export type SentStatement = readonly [text: number, parameters: readonly SqlValue[], expectedRows: number | null];
export type SentGroup = readonly (readonly SentStatement[])[];

export type ToThread =
  | {
      readonly kind: 'commit';
      /** The thread forgets the texts that it knows before it learns these. */
      readonly forgetTexts: boolean;
      readonly newTexts: readonly string[];
      /** As JSON where all values can be, which is several times cheaper than what the message would be copied with. */
      readonly group: SentGroup | string;
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
