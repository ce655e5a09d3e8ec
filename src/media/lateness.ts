/** How far back lateness is remembered. */
export const LATENESS_WINDOW_MS = 10_000;
/** With fewer samples than this a percentile says nothing, and 0 is reported. */
const FEWEST_SAMPLES = 50;

/** Sliding window of how late each tick ran. */
export class LatenessWindow {
  readonly #tickMs: number;
  readonly #capacity: number;
  readonly #samples: { atMs: number; lateMs: number }[] = [];
  #next = 0;
  /** In order; each new leg asks, and between two ticks the answer is the same. */
  #sorted: { readonly atMs: number; readonly lateMs: readonly number[] } | undefined;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#capacity = Math.ceil(LATENESS_WINDOW_MS / tickMs);
  }

  add(atMs: number, lateMs: number): void {
    this.#samples[this.#next] = { atMs, lateMs };
    this.#next = (this.#next + 1) % this.#capacity;
    this.#sorted = undefined;
  }

  /** Lateness in milliseconds that `share` (0-1) of the ticks of the last seconds did not exceed. */
  percentile(share: number, nowMs: number): number {
    const recent = this.#recent(nowMs);
    if (recent.length < FEWEST_SAMPLES) return 0;
    return recent[Math.min(recent.length - 1, Math.floor(recent.length * share))] ?? 0;
  }

  #recent(nowMs: number): readonly number[] {
    if (this.#sorted === undefined || nowMs - this.#sorted.atMs >= this.#tickMs) {
      const lateMs = this.#samples
        .filter((sample) => nowMs - sample.atMs <= LATENESS_WINDOW_MS)
        .map((sample) => sample.lateMs)
        .sort((a, b) => a - b);
      this.#sorted = { atMs: nowMs, lateMs };
    }
    return this.#sorted.lateMs;
  }
}
