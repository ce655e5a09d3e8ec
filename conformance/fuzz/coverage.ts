import { Session, type Profiler } from 'node:inspector';

/** Blocks of code that inputs have reached, by V8's own counters. While it counts, V8 does not optimise: code is many times slower. */
export class Coverage {
  readonly #session = new Session();
  readonly #covers: string;
  readonly #seen = new Set<string>();

  /** Counts in files whose address contains `covers`. */
  constructor(covers: string) {
    this.#covers = covers;
    this.#session.connect();
    this.#session.post('Profiler.enable');
  }

  start(): void {
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
  }

  get blocks(): number {
    return this.#seen.size;
  }

  /** Whether something was reached since the last look that was never reached before; `learn` remembers it. */
  look({ learn }: { readonly learn: boolean }): boolean {
    const fresh: string[] = [];
    // The session answers at once: it is of this thread.
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error === null) for (const script of coverage.result) fresh.push(...this.#newOf(script));
    });
    if (learn) for (const block of fresh) this.#seen.add(block);
    return fresh.length > 0;
  }

  close(): void {
    this.#session.disconnect();
  }

  #newOf({ scriptId, url, functions }: Profiler.ScriptCoverage): readonly string[] {
    if (!url.includes(this.#covers) || /\.test\.|\/conformance\//.test(url)) return [];
    return functions
      .flatMap(({ ranges }) => ranges)
      .filter(({ count }) => count > 0)
      .map(({ startOffset, endOffset, count }) => `${scriptId}:${startOffset}:${endOffset}:${magnitude(count)}`)
      .filter((block) => !this.#seen.has(block));
  }
}

/** A loop that turns ten times as often is another behaviour, one more turn is not. */
function magnitude(count: number): number {
  return count === 1 ? 0 : count < 10 ? 1 : count < 1000 ? 2 : 3;
}
