import { after, type Cancel, type Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface HoldBackShape {
  /** Failures that a source may make at once before it is held back. */
  readonly burst: number;
  /** Failures a second that are forgiven it in the long run. */
  readonly forgivenPerSecond: number;
  /** How long it is held back the first time; each time again twice as long. 0: nobody is held back. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** A source that behaved for this long begins anew. */
  readonly calmMs: number;
}

export const SILENCE = { firstMs: 30_000, longestMs: 3_600_000, calmMs: 7_200_000 } as const;
export const MAX_WATCHED_SOURCES = 20_000;
/** One line in the log for all that was held back within this time. */
export const SUMMARY_MS = 60_000;
/** Of so many sources the summary and the view tell. */
const MAX_NAMED = 5;
const MAX_VIEWED = 1_000;
/** What is left of its allowance when a silence ends: whoever goes on as before is soon held back again. */
const SECOND_CHANCE = 0.25;

export interface HeldSource {
  readonly door: string;
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Which time it is. */
  readonly times: number;
  /** What it sent meanwhile that nobody answered. */
  readonly dropped: number;
}

export interface HoldBackOptions {
  /** Names the door in the log and in the view. */
  readonly door: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly shape: HoldBackShape;
  readonly maxSources?: number;
  /** Told of each silence that begins. */
  onHeld?(source: string): void;
  /** Told of each request that is dropped. */
  onDropped?(): void;
}

interface Source {
  allowance: number;
  atMs: number;
  times: number;
  untilMs: number;
  dropped: number;
}

/**
 * Holds back sources that fail too often: for a while nothing of theirs is answered, each time for longer, and every
 * silence ends by itself, for what comes within one does not prolong it. Bounded: when the table is full, the source that
 * was quiet longest makes room.
 */
export class HoldBack {
  readonly #options: HoldBackOptions;
  readonly #maxSources: number;
  readonly #sources = new Map<string, Source>();
  readonly #told = new Map<string, number>();
  #droppedSinceTold = 0;
  #stopSummary: Cancel | undefined;
  #closed = false;

  constructor(options: HoldBackOptions) {
    this.#options = options;
    this.#maxSources = options.maxSources ?? MAX_WATCHED_SOURCES;
  }

  /** True while nothing of this source is to be answered; what is asked about is counted as dropped then. */
  drops(source: string): boolean {
    const held = this.#sources.get(source);
    if (held === undefined || held.untilMs <= this.#options.clock.now()) return false;
    held.dropped += 1;
    this.drop(source);
    return true;
  }

  /** Counts what was dropped for another reason than its source's past, so that the summary tells it. */
  drop(source: string): void {
    this.#droppedSinceTold += 1;
    if (this.#told.size < MAX_NAMED || this.#told.has(source))
      this.#told.set(source, (this.#told.get(source) ?? 0) + 1);
    this.#options.onDropped?.();
    this.#summarizeLater();
  }

  /** Milliseconds until it is heard again; 0 when it is heard now. */
  waitMs(source: string): number {
    return Math.max(0, (this.#sources.get(source)?.untilMs ?? 0) - this.#options.clock.now());
  }

  /** A failure; the one that uses up its allowance begins a silence. */
  fail(source: string): void {
    const { shape, clock } = this.#options;
    if (shape.firstMs === 0 || this.#closed) return;
    const nowMs = clock.now();
    const entry = this.#touch(source, nowMs);
    if (entry.untilMs > nowMs) return;
    entry.allowance -= 1;
    // What was forgiven between two failures of one burst is no failure more.
    if (Math.round(entry.allowance) > 0) return;
    entry.untilMs = nowMs + Math.min(shape.longestMs, shape.firstMs * 2 ** entry.times);
    entry.times += 1;
    entry.dropped = 0;
    entry.allowance = Math.max(1, shape.burst * SECOND_CHANCE);
    // What it is forgiven counts from the end of its silence.
    entry.atMs = entry.untilMs;
    this.#options.onHeld?.(source);
    this.#summarizeLater();
  }

  /** What looked like a failure came to a good end. */
  forgive(source: string): void {
    const entry = this.#sources.get(source);
    if (entry !== undefined) entry.allowance = Math.min(this.#options.shape.burst, entry.allowance + 1);
  }

  /** Somebody who may not be held back: nothing is kept against this source. */
  pardon(source: string): void {
    this.#sources.delete(source);
  }

  /** Ends the silences of an address, as the operator wishes; nothing is kept against it. Returns what was ended. */
  free(address: string): readonly HeldSource[] {
    const freed = this.#held().filter(({ source }) => source.split(' ').at(-1) === address);
    for (const { source } of freed) this.#sources.delete(source);
    return freed;
  }

  /** Who is held back now, those longest first. */
  view(): readonly HeldSource[] {
    return this.#held()
      .sort((a, b) => b.until - a.until)
      .slice(0, MAX_VIEWED);
  }

  #held(): HeldSource[] {
    const nowMs = this.#options.clock.now();
    return [...this.#sources]
      .filter(([, { untilMs }]) => untilMs > nowMs)
      .map(([source, { untilMs, times, dropped }]) => ({
        ...{ door: this.#options.door, source, times, dropped },
        until: Math.round(untilMs),
      }));
  }

  close(): void {
    this.#closed = true;
    this.#stopSummary?.();
  }

  #touch(source: string, nowMs: number): Source {
    const { shape } = this.#options;
    let entry = this.#sources.get(source);
    if (entry === undefined) {
      const oldest = this.#sources.size >= this.#maxSources ? this.#sources.keys().next().value : undefined;
      if (oldest !== undefined) this.#sources.delete(oldest);
      entry = { allowance: shape.burst, atMs: nowMs, times: 0, untilMs: 0, dropped: 0 };
    } else {
      const elapsedMs = Math.max(0, nowMs - entry.atMs);
      entry.allowance = Math.min(shape.burst, entry.allowance + (elapsedMs / 1000) * shape.forgivenPerSecond);
      if (nowMs - entry.untilMs > shape.calmMs) entry.times = 0;
      entry.atMs = Math.max(nowMs, entry.atMs);
      this.#sources.delete(source);
    }
    this.#sources.set(source, entry);
    return entry;
  }

  #summarizeLater(): void {
    if (this.#closed) return;
    this.#stopSummary ??= after(this.#options.clock, SUMMARY_MS, () => this.#summarize());
  }

  #summarize(): void {
    this.#stopSummary = undefined;
    const held = this.view();
    const details = {
      door: this.#options.door,
      held: held.length,
      dropped: this.#droppedSinceTold,
      sources: Object.fromEntries([...this.#told].sort(([, a], [, b]) => b - a)),
    };
    this.#options.logger.warn(details, 'strangers were held back (tandem doctor names them)');
    this.#droppedSinceTold = 0;
    this.#told.clear();
  }
}
