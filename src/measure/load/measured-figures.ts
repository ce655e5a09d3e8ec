import type { CpuReading } from './cpu-reading.ts';
import type { GeneratedLoad } from './load-generator.ts';
import type { LoadResult } from './summary.ts';
import type { TallyView } from './tally.ts';

const SECOND_MS = 1_000;

export interface Measured {
  readonly load: GeneratedLoad;
  readonly tally: TallyView;
  /** When the server last did its part; 0 when it never did. */
  readonly lastMs: number;
  readonly start: CpuReading;
  readonly end: CpuReading;
}

export type MeasuredFigures = Pick<
  LoadResult,
  | 'seconds'
  | 'tally'
  | 'askedPerSecond'
  | 'donePerSecond'
  | 'failedPercent'
  | 'serverCores'
  | 'serverCpuMsEach'
  | 'generator'
  | 'otherCores'
>;

/** Rates and shares of what was counted during a run. */
export function measuredFigures({ load, tally, lastMs, start, end }: Measured): MeasuredFigures {
  const seconds = (end.atMs - start.atMs) / SECOND_MS;
  // A server that falls behind does its work in more time than it was asked in.
  const doneMs = Math.max(load.askedMs, lastMs - load.startMs);
  const own = end.own - start.own;
  const server = difference(start.server, end.server);
  const machine = difference(start.machine, end.machine);
  return {
    seconds: rounded(seconds, 1),
    tally,
    askedPerSecond: perSecond(tally.asked, load.askedMs),
    donePerSecond: perSecond(tally.done, doneMs),
    failedPercent: tally.asked === 0 ? 0 : rounded(((tally.asked - tally.done) / tally.asked) * 100, 3),
    serverCores: server === undefined ? undefined : rounded(server / seconds, 2),
    serverCpuMsEach:
      server === undefined || tally.done === 0 ? undefined : rounded((server / tally.done) * SECOND_MS, 3),
    generator: {
      latenessP99Ms: rounded(load.lateness.percentileMs(0.99), 2),
      latenessMaxMs: rounded(load.lateness.maxMs, 2),
      cores: rounded(own / seconds, 2),
      skipped: load.skipped,
    },
    otherCores: machine === undefined ? undefined : rounded(Math.max(0, machine - own - (server ?? 0)) / seconds, 2),
  };
}

function difference(start: number | undefined, end: number | undefined): number | undefined {
  return start === undefined || end === undefined ? undefined : end - start;
}

function perSecond(count: number, ms: number): number {
  return rounded(count / (Math.max(1, ms) / SECOND_MS), 1);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
