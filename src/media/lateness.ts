/** How far back lateness is remembered. */
export const LATENESS_WINDOW_MS = 10_000;
/** With fewer samples than this a percentile says nothing, and 0 is reported. */
const FEWEST_SAMPLES = 50;

/** Sliding window of how late each tick ran. */
export class LatenessWindow {
  readonly #capacity: number;
  readonly #samples: { atMs: number; lateMs: number }[] = [];
  #next = 0;

  constructor(tickMs: number) {
    this.#capacity = Math.ceil(LATENESS_WINDOW_MS / tickMs);
  }

  add(atMs: number, lateMs: number): void {
    this.#samples[this.#next] = { atMs, lateMs };
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** Lateness in milliseconds that `share` (0-1) of the ticks of the last seconds did not exceed. */
  percentile(share: number, nowMs: number): number {
    const recent = this.#samples
      .filter((sample) => nowMs - sample.atMs <= LATENESS_WINDOW_MS)
      .map((sample) => sample.lateMs);
    if (recent.length < FEWEST_SAMPLES) return 0;
    recent.sort((a, b) => a - b);
    return recent[Math.min(recent.length - 1, Math.floor(recent.length * share))] ?? 0;
  }
}
