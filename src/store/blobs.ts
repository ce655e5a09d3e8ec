/** SHA-256 merkle root (BEP 52, 16 KiB leaves) as 64 lower-case hexadecimal digits. */
export type BlobId = string & { readonly brand: 'BlobId' };

/** Content-addressed files: recordings, prompts, fetched media. */
export interface Blobs {
  /** Moves a finished file in (fsynced file and folder before it resolves) and takes one reference. */
  adopt(path: string): Promise<BlobId>;
  /** Stores bytes, takes one reference. */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobId>;
  /** Path for reading; undefined when absent. Valid while referenced. */
  path(id: BlobId): string | undefined;
  size(id: BlobId): Promise<number | undefined>;
  addReference(id: BlobId): Promise<void>;
  /** Drops one reference; the file goes when none is left. */
  release(id: BlobId): Promise<void>;
  /** A fresh path on the same file system, for writing what will be adopted. */
  temporaryPath(suffix: string): string;
  /** Removes what was written to a temporary path and is not to be adopted; what is not there is no fault. Never rejects. */
  discard(path: string): Promise<void>;
}
