import { errorText } from '../../src/base/errors.ts';
import { randomInteger, seededRandom, type Random } from '../../src/base/random.ts';
import { Coverage } from './coverage.ts';
import { bytesOf, type FuzzTarget, type Repetition } from './fuzz-target.ts';
import type { StallWatch } from './stall-watch.ts';
import { mutate } from './mutate.ts';

const DEFAULT_MAX_MS = 50;
/** An input that was slow is tried again so often: cold code is slow now and then, a bad reader always. */
const TIMINGS = 5;
/** Inputs between two looks at the coverage, which costs as much as some dozen of them. */
const BATCH = 100;
/** Batches whose coverage is looked at, and inputs after them that run at full speed and are timed. */
const GUIDED_BATCHES = 10;
const TIMED_INPUTS = 30_000;
const MAX_POOL = 4000;
const MAX_FINDINGS = 20;
/** What the whole process may grow by while inputs come and go. */
const MAX_GROWTH_BYTES = 400 * 1024 * 1024;

export interface FuzzOptions {
  readonly seed: number;
  /** Ends after so many inputs, or so many seconds, whichever is first. */
  readonly executions?: number;
  readonly seconds?: number;
  readonly onFinding?: (finding: Finding) => void;
  /** Looks for what reaches new code; costs most of the time of a short run. Default true. */
  readonly guided?: boolean;
  /** Told of each input before it is tried. */
  readonly watch?: StallWatch;
}

export interface Finding {
  readonly target: string;
  readonly seed: number;
  readonly execution: number;
  readonly reason: string;
  readonly input: Uint8Array;
}

export interface FuzzResult {
  readonly executions: number;
  readonly seconds: number;
  /** Inputs that reached something new. */
  readonly kept: number;
  readonly blocks: number;
  readonly findings: readonly Finding[];
}

/** Tries inputs on a target: repetitions first, then mutations and fresh ones, keeping what reaches new code. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzResult> {
  const run = new Run(target, options);
  try {
    return await run.all();
  } finally {
    run.close();
  }
}

class Run {
  readonly #target: FuzzTarget;
  readonly #options: FuzzOptions;
  readonly #random: Random;
  readonly #coverage: Coverage | undefined;
  readonly #pool: Uint8Array[];
  readonly #findings = new Map<string, Finding>();
  readonly #startedMs = performance.now();
  readonly #startBytes = process.memoryUsage().rss;
  #executions = 0;
  #isTimed = true;
  #kept = 0;

  constructor(target: FuzzTarget, options: FuzzOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const { guided = true } = options;
    this.#coverage = target.covers === undefined || !guided ? undefined : new Coverage(target.covers);
    this.#pool = [...target.corpus];
  }

  async all(): Promise<FuzzResult> {
    for (const input of repetitionsOf(this.#target)) await this.#try(input);
    for (const input of this.#target.corpus) await this.#try(input);
    while (!this.#isOver) {
      if (this.#coverage !== undefined) await this.#guided(this.#coverage);
      for (let count = 0; count < TIMED_INPUTS && !this.#isOver; count += 1) await this.#try(this.#next());
      this.#checkMemory(this.#next());
    }
    return {
      executions: this.#executions,
      seconds: this.#elapsedSeconds,
      kept: this.#kept,
      blocks: this.#coverage?.blocks ?? 0,
      findings: [...this.#findings.values()],
    };
  }

  close(): void {
    this.#coverage?.close();
  }

  get #elapsedSeconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  get #isOver(): boolean {
    const { executions = Infinity, seconds = Infinity } = this.#options;
    return this.#executions >= executions || this.#elapsedSeconds >= seconds || this.#findings.size >= MAX_FINDINGS;
  }

  /** Looks for inputs that reach new code. */
  async #guided(coverage: Coverage): Promise<void> {
    coverage.start();
    this.#isTimed = false;
    if (coverage.blocks === 0) {
      for (const input of this.#target.corpus) await this.#try(input);
      coverage.look({ learn: true });
    }
    for (let batches = 0; batches < GUIDED_BATCHES && !this.#isOver; batches += 1) await this.#batch(coverage);
    this.#isTimed = true;
    coverage.stop();
  }

  async #batch(coverage: Coverage): Promise<void> {
    const inputs: Uint8Array[] = [];
    while (inputs.length < BATCH && !this.#isOver) {
      const input = this.#next();
      inputs.push(input);
      await this.#try(input);
    }
    if (coverage.look({ learn: false })) await this.#keepNew(inputs, coverage);
  }

  #next(): Uint8Array {
    const { generate } = this.#target;
    if (generate !== undefined && randomInteger(this.#random, 0, 3) === 0) return generate(this.#random);
    // What was found last is nearest to what is not found yet.
    const fresh = this.#pool.slice(-20);
    return mutate(randomInteger(this.#random, 0, 1) === 0 ? fresh : this.#pool, this.#random, this.#target);
  }

  /** Something of the batch reached new code: each is tried again to see which. */
  async #keepNew(inputs: readonly Uint8Array[], coverage: Coverage): Promise<void> {
    for (const input of inputs) {
      await this.#time(input).catch(() => undefined);
      if (!coverage.look({ learn: true }) || this.#pool.length >= MAX_POOL) continue;
      this.#pool.push(input);
      this.#kept += 1;
    }
  }

  async #try(input: Uint8Array): Promise<void> {
    this.#executions += 1;
    this.#options.watch?.begins(input);
    const maxMs = this.#target.maxMs ?? DEFAULT_MAX_MS;
    try {
      let fastestMs = await this.#time(input);
      if (!this.#isTimed) return;
      for (let again = 1; fastestMs > maxMs && again < TIMINGS; again += 1) {
        fastestMs = Math.min(fastestMs, await this.#time(input));
      }
      if (fastestMs > maxMs) this.#found(input, `took ${Math.round(fastestMs)} ms: want at most ${maxMs}`, 'time');
    } catch (thrown) {
      const where = thrown instanceof Error ? (thrown.stack ?? '').split('\n').slice(1, 4).join(' ') : '';
      this.#found(input, `${errorText(thrown)} ${where}`, where);
    }
  }

  /** Milliseconds of this thread's processor: what others compute meanwhile is not the reader's. */
  async #time(input: Uint8Array): Promise<number> {
    const before = process.threadCpuUsage();
    const done = this.#target.check(input);
    if (done !== undefined) await done;
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  }

  #checkMemory(input: Uint8Array): void {
    const growth = process.memoryUsage().rss - this.#startBytes;
    if (growth > MAX_GROWTH_BYTES) this.#found(input, `memory grew by ${growth} bytes`, 'memory');
  }

  /** The first of a kind. */
  #found(input: Uint8Array, reason: string, kind: string): void {
    if (this.#findings.has(kind)) return;
    const finding = {
      target: this.#target.name,
      seed: this.#options.seed,
      execution: this.#executions,
      reason,
      input: Uint8Array.from(input),
    };
    this.#findings.set(kind, finding);
    this.#options.onFinding?.(finding);
  }
}

function repetitionsOf({ repetitions, maxBytes }: FuzzTarget): readonly Uint8Array[] {
  return repetitions.map((each) => bytesOf(longest(each, maxBytes)));
}

function longest({ before = '', unit, after = '' }: Repetition, maxBytes: number): string {
  const room = maxBytes - before.length - after.length;
  return before + unit.repeat(Math.max(1, Math.floor(room / unit.length))) + after;
}
