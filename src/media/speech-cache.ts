import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';

export interface SpeechCacheOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 268_435_456;
/** A file that was asked for this recently may be about to be played: it stays, whatever the limit. */
const IN_USE_MS = 600_000;
const SUFFIX = '.wav';
const UNFINISHED = '.part';

interface Entry {
  readonly bytes: number;
  usedMs: number;
}

/** Sound files by key in one folder, whole or absent; the least recently used go when there are too many bytes. */
export class SpeechCache {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  /** In the order of use, oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #making = new Map<string, Promise<string>>();
  #bytes = 0;

  private constructor(options: SpeechCacheOptions) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** Makes the folder, takes over the files in it and removes unfinished ones. */
  static async open(options: SpeechCacheOptions): Promise<SpeechCache> {
    const cache = new SpeechCache(options);
    await mkdir(options.folder, { recursive: true });
    await cache.#scan();
    return cache;
  }

  /** Path of the file of `key`; `make` writes it to the path that it is given. Concurrent callers share one make. */
  async get(key: string, make: (path: string) => Promise<void>): Promise<string> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && (await this.#isThere(key))) {
      this.#touch(key, entry);
      return this.#path(key);
    }
    const running = this.#making.get(key);
    if (running !== undefined) return running;
    const making = this.#make(key, make).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  async #make(key: string, make: (path: string) => Promise<void>): Promise<string> {
    const unfinished = join(this.#folder, `${key}.${process.pid}${UNFINISHED}`);
    try {
      await make(unfinished);
      const { size } = await stat(unfinished);
      await rename(unfinished, this.#path(key));
      this.#forget(key);
      this.#touch(key, { bytes: size, usedMs: 0 });
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    await this.#shrink();
    return this.#path(key);
  }

  #path(key: string): string {
    return join(this.#folder, key + SUFFIX);
  }

  /** People clean folders by hand. */
  #isThere(key: string): Promise<boolean> {
    return stat(this.#path(key)).then(
      () => true,
      () => false,
    );
  }

  #touch(key: string, entry: Entry): void {
    if (!this.#entries.delete(key)) this.#bytes += entry.bytes;
    entry.usedMs = this.#clock.now();
    this.#entries.set(key, entry);
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  async #shrink(): Promise<void> {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes || this.#clock.now() - entry.usedMs < IN_USE_MS) return;
      this.#forget(key);
      await rm(this.#path(key), { force: true });
    }
  }

  async #scan(): Promise<void> {
    const found: { readonly key: string; readonly bytes: number; readonly usedMs: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (name.endsWith(UNFINISHED)) await rm(path, { force: true });
      else if (name.endsWith(SUFFIX)) {
        const { size, mtimeMs } = await stat(path);
        found.push({ key: name.slice(0, -SUFFIX.length), bytes: size, usedMs: mtimeMs });
      }
    }
    found.sort((a, b) => a.usedMs - b.usedMs);
    for (const { key, bytes, usedMs } of found) this.#entries.set(key, { bytes, usedMs });
    this.#bytes = found.reduce((sum, file) => sum + file.bytes, 0);
    await this.#shrink();
  }
}
