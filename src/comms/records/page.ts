/** Where a page begins, beside a record that was the last (or first) of another page. */
export interface PagePosition {
  readonly side: 'after' | 'before';
  readonly dateCreated: number;
  readonly key: string;
}

export interface PageRequest {
  /** Records on the page, 1 or more. */
  readonly size: number;
  readonly position?: PagePosition;
  /** Records to leave out first; for clients that count pages. Not stable while records arrive. */
  readonly offset?: number;
}

/** Newest first. */
export interface RecordPage<T> {
  readonly records: readonly T[];
  /** There are older records. */
  readonly hasNext: boolean;
  /** There are newer records. */
  readonly hasPrevious: boolean;
}
