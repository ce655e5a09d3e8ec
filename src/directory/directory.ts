/** A value is at most this long in UTF-8; a key and an id are at most `MAX_NAME_BYTES`. */
export const MAX_VALUE_BYTES = 4_096;
export const MAX_NAME_BYTES = 512;
/** Longest life of a value; owners announce it again before. */
export const MAX_TTL_MS = 7 * 24 * 60 * 60 * 1_000;

/** One value under a key, kept until it expires unless its owner puts it again. */
export interface DirectoryEntry {
  readonly key: string;
  /** Names the value under its key: putting the same id replaces it. */
  readonly id: string;
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Who is where, now: soft state that its owners announce again before it expires. Losing it loses nothing for longer
 * than a refresh. Values are small texts (at most MAX_VALUE_BYTES).
 */
export interface Directory {
  /** Rejects with a DirectoryError: `too-large`, `full`, `bad-ttl`. */
  put(key: string, id: string, value: string, ttlMs: number): Promise<void>;
  /** Entries that have not expired, oldest first. */
  get(key: string): Promise<readonly DirectoryEntry[]>;
  remove(key: string, id: string): Promise<void>;
  /** Calls the handler with all present entries after each change of the key (expiry too). */
  watch(key: string, handler: (entries: readonly DirectoryEntry[]) => void): { stop(): void };
}
