import { sleep, type Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { Histogram } from './histogram.ts';
import { MAX_CREATES, type LoadOptions } from './load-options.ts';
import { runOpenLoop } from './open-loop.ts';
import { arrivals } from './schedule.ts';
import type { Scenario } from './scenario.ts';
import { reason } from './server-door.ts';
import type { Tally } from './tally.ts';

/** 64*T1 (RFC 3261 17.1.1.2) and a little: by then SIP has given up what gets no answer. */
const DRAIN_MS = 35_000;
const SECOND_MS = 1_000;

export interface LoadGeneratorOptions {
  readonly load: LoadOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly tally: Tally;
  /** Ends the run early. */
  readonly stop: AbortSignal;
  /** Aborts when the server is gone. */
  readonly gone: AbortSignal;
}

export interface GeneratedLoad {
  /** How late the generator itself began the work. */
  readonly lateness: Histogram;
  readonly startMs: number;
  /** How long new work was begun. */
  readonly askedMs: number;
  /** Work that was left out since too much was open. */
  readonly skipped: number;
}

/** Asks the server for work until the time is over, then waits for what is open, no longer than SIP itself would. */
export class LoadGenerator {
  readonly #options: LoadGeneratorOptions;

  constructor(options: LoadGeneratorOptions) {
    this.#options = options;
  }

  async run(scenario: Scenario): Promise<GeneratedLoad> {
    const { load, clock } = this.#options;
    const startMs = clock.now();
    if (load.ratePerSecond !== undefined) return this.#openLoop(scenario, load.ratePerSecond, startMs);
    await this.#closedLoop(scenario, startMs);
    return { lateness: new Histogram(), startMs, askedMs: clock.now() - startMs, skipped: 0 };
  }

  async #openLoop(scenario: Scenario, ratePerSecond: number, startMs: number): Promise<GeneratedLoad> {
    const { load, clock, random, tally, stop } = this.#options;
    const durationMs = load.durationSeconds * SECOND_MS;
    let skipped = 0;
    const { lateness, open } = await runOpenLoop({
      clock,
      arrivals: arrivals({ ratePerSecond, durationMs, spacing: load.spacing, random }),
      maxOpen: scenario.maxOpen,
      start: (intendedMs, index) => this.#work(scenario, index, intendedMs),
      skipped: () => {
        skipped += 1;
        tally.begin();
        tally.end({ ok: false, label: 'left out by the generator' });
      },
      signal: stop,
    });
    // The last arrival stands for its share of the time; an interrupted run ends where it was interrupted.
    const askedMs = stop.aborted ? clock.now() - startMs : durationMs;
    await this.#drained(open);
    return { lateness, startMs, askedMs, skipped };
  }

  async #closedLoop(scenario: Scenario, startMs: number): Promise<void> {
    const { load, clock, stop } = this.#options;
    const untilMs = startMs + load.durationSeconds * SECOND_MS;
    let index = 0;
    const caller = async (): Promise<void> => {
      while (clock.now() < untilMs && !stop.aborted && index < MAX_CREATES) {
        index += 1;
        await this.#work(scenario, index - 1, clock.now());
      }
    };
    const callers = load.kind === 'creates' ? load.callers : 1;
    await Promise.all(Array.from({ length: callers }, caller));
  }

  async #work(scenario: Scenario, index: number, intendedMs: number): Promise<void> {
    const { tally } = this.#options;
    tally.begin();
    try {
      await scenario.work(index, intendedMs);
    } catch (error) {
      tally.end({ ok: false, label: `the tool: ${reason(error)}` });
    }
  }

  async #drained(open: ReadonlySet<Promise<void>>): Promise<void> {
    const { load, clock, gone } = this.#options;
    const hold = load.kind === 'calls' ? load.holdSeconds * SECOND_MS : 0;
    const over = new AbortController();
    // Whoever is gone answers nothing: waiting would only delay the news.
    const giveUp = sleep(clock, DRAIN_MS + hold, AbortSignal.any([over.signal, gone])).catch(() => undefined);
    await Promise.race([Promise.all(open), giveUp]);
    over.abort();
  }
}
