const DEFAULT_MAX_BYTES = 67_108_864;

interface Entry {
  readonly sound: Promise<Int16Array>;
  bytes: number;
}

/** Decoded sounds by key, the least recently used given up first; callers that ask at the same time share one load. */
export class SoundCache {
  readonly #maxBytes: number;
  /** In the order of use, oldest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(options: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** The kept sound, or what `load` gives; a failed load is not kept. */
  get(key: string, load: () => Promise<Int16Array>): Promise<Int16Array> {
    const kept = this.#entries.get(key);
    if (kept !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, kept);
      return kept.sound;
    }
    const entry: Entry = { sound: this.#load(key, load), bytes: 0 };
    this.#entries.set(key, entry);
    return entry.sound;
  }

  async #load(key: string, load: () => Promise<Int16Array>): Promise<Int16Array> {
    try {
      const sound = await load();
      this.#account(key, sound.byteLength);
      return sound;
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
  }

  #account(key: string, bytes: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.bytes = bytes;
    this.#bytes += bytes;
    for (const [oldKey, old] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      if (old.bytes === 0) continue;
      this.#entries.delete(oldKey);
      this.#bytes -= old.bytes;
    }
  }
}
