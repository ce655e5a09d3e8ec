import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { randomHex, type Random } from '../base/random.ts';

export const DEFAULT_SOUND_CACHE_BYTES = 256 * 1024 * 1024;
/** A file that was asked for within this time may be playing and is not removed. */
const IN_USE_MS = 600_000;
const SUFFIX = '.sound';
const NAME_BYTES = 16;

export interface SoundCacheOptions {
  /** Made when absent. Files of an earlier process with the cache's suffix are removed. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxBytes?: number;
}

/** A kept sound with what is needed to ask whether it changed. */
export interface KeptSound {
  readonly path: string;
  /** Served without asking until then. */
  readonly freshUntilMs: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

interface Entry extends KeptSound {
  readonly bytes: number;
  readonly usedAtMs: number;
}

/** Fetched sounds as files, bounded in bytes; the longest unused goes first. */
export class SoundCache {
  readonly #options: SoundCacheOptions;
  readonly #entries = new Map<string, Entry>();
  /** Replaced files that may still be playing. */
  readonly #retired: { readonly path: string; readonly bytes: number; readonly atMs: number }[] = [];
  #bytes = 0;
  #ready: Promise<void> | undefined;

  constructor(options: SoundCacheOptions) {
    this.#options = options;
  }

  get(key: string): KeptSound | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#use(key, entry);
    return entry;
  }

  /** The origin says that the sound did not change. */
  renew(key: string, freshUntilMs: number): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#use(key, { ...entry, freshUntilMs });
  }

  /** Keeps the bytes as a file and gives its path; undefined when everything kept is in use and there is no room. */
  async put(key: string, bytes: Uint8Array, about: Omit<KeptSound, 'path'>): Promise<string | undefined> {
    this.#ready ??= this.#prepare();
    await this.#ready;
    if (!(await this.#makeRoom(bytes.length))) return undefined;
    this.#bytes += bytes.length;
    const path = join(this.#options.directory, randomHex(this.#options.random, NAME_BYTES) + SUFFIX);
    try {
      await writeFile(`${path}.part`, bytes);
      await rename(`${path}.part`, path);
    } catch (error) {
      this.#bytes -= bytes.length;
      // On a full disk half a sound would stay until the next start.
      await rm(`${path}.part`, { force: true });
      throw error;
    }
    this.#retire(key);
    this.#use(key, { ...about, path, bytes: bytes.length, usedAtMs: 0 });
    return path;
  }

  #use(key: string, entry: Entry): void {
    // Map order is order of use.
    this.#entries.delete(key);
    this.#entries.set(key, { ...entry, usedAtMs: this.#options.clock.now() });
  }

  #retire(key: string): void {
    const old = this.#entries.get(key);
    if (old === undefined) return;
    this.#entries.delete(key);
    this.#retired.push({ path: old.path, bytes: old.bytes, atMs: old.usedAtMs });
  }

  async #makeRoom(wanted: number): Promise<boolean> {
    const limit = this.#options.maxBytes ?? DEFAULT_SOUND_CACHE_BYTES;
    const idleBefore = this.#options.clock.now() - IN_USE_MS;
    for (;;) {
      const old = this.#retired[0];
      if (old === undefined || old.atMs > idleBefore) break;
      this.#retired.shift();
      await this.#remove(old);
    }
    for (const [key, entry] of this.#entries) {
      if (this.#bytes + wanted <= limit || entry.usedAtMs > idleBefore) break;
      this.#entries.delete(key);
      await this.#remove(entry);
    }
    return this.#bytes + wanted <= limit;
  }

  async #remove(file: { readonly path: string; readonly bytes: number }): Promise<void> {
    this.#bytes -= file.bytes;
    await rm(file.path, { force: true });
  }

  async #prepare(): Promise<void> {
    const { directory } = this.#options;
    await mkdir(directory, { recursive: true });
    const names = await readdir(directory);
    const stale = names.filter((name) => name.endsWith(SUFFIX) || name.endsWith(`${SUFFIX}.part`));
    await Promise.all(stale.map((name) => rm(join(directory, name), { force: true })));
  }
}

/** Until when a response may be served without asking again (RFC 9111 4.2.1); no guesses where it says nothing. */
export function freshUntil(headers: Readonly<Record<string, string>>, nowMs: number): number {
  const control = headers['cache-control']?.toLowerCase() ?? '';
  if (/\bno-(store|cache)\b/.test(control)) return nowMs;
  const maxAge = /\bmax-age\s*=\s*"?(\d{1,9})/.exec(control)?.[1];
  const ageMs = Number(/^\d{1,9}$/.exec(headers['age'] ?? '')?.[0] ?? 0) * 1000;
  if (maxAge !== undefined) return nowMs + Math.max(0, Number(maxAge) * 1000 - ageMs);
  const lifetime = Date.parse(headers['expires'] ?? '') - Date.parse(headers['date'] ?? '');
  return Number.isFinite(lifetime) ? nowMs + Math.max(0, lifetime - ageMs) : nowMs;
}
