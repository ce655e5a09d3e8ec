import type { WriteStatement } from './store.ts';

/** SHA-256 merkle root (BEP 52, 16 KiB leaves) as 64 lower-case hexadecimal digits. */
export type BlobId = string & { readonly brand: 'BlobId' };

/** Content-addressed files: recordings, prompts, fetched media. */
export interface Blobs {
  /**
   * Moves a finished file in (fsynced file and folder before it resolves) and takes one reference. The statements go into
   * the same write: whoever holds the reference and the reference itself are on disk together or not at all.
   */
  adopt(path: string, holder?: (id: BlobId) => readonly WriteStatement[]): Promise<BlobId>;
  /** Stores bytes, takes one reference. */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobId>;
  /** Path for reading; undefined when absent. Valid while referenced. */
  path(id: BlobId): string | undefined;
  size(id: BlobId): Promise<number | undefined>;
  addReference(id: BlobId): Promise<void>;
  /** Drops one reference, in one write with the holder's statements; the file goes when none is left. */
  release(id: BlobId, holder?: readonly WriteStatement[]): Promise<void>;
  /** A fresh path on the same file system, for writing what will be adopted. */
  temporaryPath(suffix: string): string;
  /** Removes what was written to a temporary path and is not to be adopted; what is not there is no fault. Never rejects. */
  discard(path: string): Promise<void>;
}
