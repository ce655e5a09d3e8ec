import type { Cancel, Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { quoted } from '../base/parsed.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_NAME_BYTES, MAX_TTL_MS, MAX_VALUE_BYTES, type Directory, type DirectoryEntry } from './directory.ts';

const DEFAULT_MAX_KEYS = 100_000;
const DEFAULT_MAX_VALUES_PER_KEY = 64;

export interface MemoryDirectoryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxKeys?: number;
  readonly maxValuesPerKey?: number;
}

interface Held {
  entry: DirectoryEntry;
  /** When its timer looks at it: a value that is put again before keeps the timer, which then goes on. */
  looksAt: number;
  cancelExpiry: Cancel;
}

type Watcher = (entries: readonly DirectoryEntry[]) => void;

/** A directory within one process. */
export class MemoryDirectory implements Directory {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #maxKeys: number;
  readonly #maxValuesPerKey: number;
  readonly #keys = new Map<string, Map<string, Held>>();
  readonly #watchers = new Map<string, Set<Watcher>>();

  constructor(options: MemoryDirectoryOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#maxKeys = options.maxKeys ?? DEFAULT_MAX_KEYS;
    this.#maxValuesPerKey = options.maxValuesPerKey ?? DEFAULT_MAX_VALUES_PER_KEY;
  }

  async put(key: string, id: string, value: string, ttlMs: number): Promise<void> {
    checkSizes(key, id, value);
    checkTtl(ttlMs);
    const values = this.#room(key, id);
    const entry: DirectoryEntry = { key, id, value, expiresAt: this.#clock.now() + ttlMs };
    const held = values.get(id);
    if (held !== undefined && held.looksAt <= entry.expiresAt) {
      held.entry = entry;
    } else {
      held?.cancelExpiry();
      values.set(id, { entry, ...this.#look(entry) });
    }
    this.#tell(key);
  }

  async get(key: string): Promise<readonly DirectoryEntry[]> {
    return this.#present(key);
  }

  async remove(key: string, id: string): Promise<void> {
    this.#drop(key, id);
  }

  watch(key: string, handler: Watcher): { stop(): void } {
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers);
    const watcher: Watcher = (entries) => handler(entries);
    watchers.add(watcher);
    return {
      stop: () => {
        watchers.delete(watcher);
        if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
      },
    };
  }

  /** Forgets everything, without telling, and ends all timers. */
  close(): void {
    for (const values of this.#keys.values()) for (const held of values.values()) held.cancelExpiry();
    this.#keys.clear();
    this.#watchers.clear();
  }

  /** The values of the key, after making sure that one more id fits. */
  #room(key: string, id: string): Map<string, Held> {
    const values = this.#keys.get(key);
    if (values !== undefined) {
      if (!values.has(id) && values.size >= this.#maxValuesPerKey) {
        throw new DirectoryError('full', `${quoted(key)} has ${values.size} values, the most that a key may have`);
      }
      return values;
    }
    if (this.#keys.size >= this.#maxKeys) {
      throw new DirectoryError('full', `the directory has ${this.#keys.size} keys, the most that it may have`);
    }
    const fresh = new Map<string, Held>();
    this.#keys.set(key, fresh);
    return fresh;
  }

  #present(key: string): readonly DirectoryEntry[] {
    const nowMs = this.#clock.now();
    const present: DirectoryEntry[] = [];
    // A timer may be late; what has expired is gone all the same.
    for (const { entry } of this.#keys.get(key)?.values() ?? []) if (entry.expiresAt > nowMs) present.push(entry);
    return present;
  }

  #look({ key, id, expiresAt }: DirectoryEntry): Pick<Held, 'looksAt' | 'cancelExpiry'> {
    return { looksAt: expiresAt, cancelExpiry: this.#clock.at(expiresAt, () => this.#expire(key, id)) };
  }

  #expire(key: string, id: string): void {
    const held = this.#keys.get(key)?.get(id);
    if (held === undefined) return;
    if (held.entry.expiresAt <= held.looksAt) this.#drop(key, id);
    else Object.assign(held, this.#look(held.entry));
  }

  #drop(key: string, id: string): void {
    const values = this.#keys.get(key);
    const held = values?.get(id);
    if (values === undefined || held === undefined) return;
    held.cancelExpiry();
    values.delete(id);
    if (values.size === 0) this.#keys.delete(key);
    this.#tell(key);
  }

  #tell(key: string): void {
    const watchers = this.#watchers.get(key);
    if (watchers === undefined) return;
    const entries = this.#present(key);
    for (const watcher of [...watchers]) {
      try {
        watcher(entries);
      } catch (error) {
        this.#logger.error({ key, reason: errorText(error) }, 'directory: a watcher failed');
      }
    }
  }
}

function checkSizes(key: string, id: string, value: string): void {
  checkSize('key', key, MAX_NAME_BYTES);
  checkSize('id', id, MAX_NAME_BYTES);
  checkSize('value', value, MAX_VALUE_BYTES);
}

function checkSize(what: string, text: string, maxBytes: number): void {
  // No code unit takes more than three bytes, and none less than one: what is far from the limit is not encoded first.
  if (text.length * 3 <= maxBytes) return;
  const bytes = text.length > maxBytes ? text.length : new TextEncoder().encode(text).length;
  if (bytes > maxBytes) throw new DirectoryError('too-large', `${what} of ${bytes} bytes: want at most ${maxBytes}`);
}

function checkTtl(ttlMs: number): void {
  if (!(ttlMs > 0) || ttlMs > MAX_TTL_MS) {
    throw new DirectoryError('bad-ttl', `time to live ${ttlMs} ms: want more than 0 and at most ${MAX_TTL_MS}`);
  }
}
