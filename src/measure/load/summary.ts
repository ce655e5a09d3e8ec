import type { LoadKind } from './load-options.ts';
import { limitLines, type LimitsReport } from './limits-report.ts';
import type { ScenarioEnd } from './scenario.ts';
import type { TallyView } from './tally.ts';

/** Later than this in one of a hundred, the generator was not asking as it claims. */
const LATE_MS = 50;
/** Cores that other programs may use without making the figures doubtful. */
const QUIET_CORES = 0.2;
/** One core of the machine is all that one program of this kind can use. */
const BUSY_CORES = 0.9;

export interface GeneratorView {
  readonly latenessP99Ms: number;
  readonly latenessMaxMs: number;
  /** Cores that the tool itself used. */
  readonly cores: number;
  /** Work that was left out since too much was open. */
  readonly skipped: number;
}

export interface LoadResult extends ScenarioEnd {
  readonly kind: LoadKind;
  readonly seconds: number;
  readonly tally: TallyView;
  readonly askedPerSecond: number;
  readonly donePerSecond: number;
  readonly failedPercent: number;
  readonly allowFailedPercent: number;
  /** Undefined where the server's process is not on this machine. */
  readonly serverCores: number | undefined;
  readonly serverCpuMsEach: number | undefined;
  readonly generator: GeneratorView;
  /** Cores that other programs of this machine used meanwhile; known only where the server is on it too. */
  readonly otherCores: number | undefined;
  /** Undefined when the server could not be asked any more. */
  readonly limits: LimitsReport | undefined;
  readonly interrupted: boolean;
  /** What could not be taken away again. */
  readonly leftBehind: readonly string[];
}

/** 0: the failed share is allowed and nothing else was wrong. */
export function exitCodeOf(result: LoadResult): 0 | 1 {
  const { tally, failedPercent, allowFailedPercent, faults, leftBehind } = result;
  return tally.done > 0 && failedPercent <= allowFailedPercent && faults.length + leftBehind.length === 0 ? 0 : 1;
}

export function generatorLimit({ latenessP99Ms, cores, skipped }: GeneratorView): string | undefined {
  if (skipped > 0)
    return `the generator left out ${skipped}: too many were open; the server is asked less than was wanted`;
  if (latenessP99Ms > LATE_MS)
    return `the generator was the limit: it began one in a hundred over ${latenessP99Ms} ms late`;
  if (cores > BUSY_CORES) return `the generator was the limit: it used ${cores} cores, and one is all it has`;
  return undefined;
}

/** The end of a run, as a person reads it. */
export function summaryLines(result: LoadResult): readonly string[] {
  const { tally, generator, limits } = result;
  const { p50, p95, p99, p999, max } = tally.latencyMs;
  const server =
    result.serverCores === undefined
      ? []
      : [`server: ${result.serverCores} cores, ${result.serverCpuMsEach ?? 0} ms CPU for each that was done`];
  return [
    `${result.kind}: ${tally.asked} asked (${result.askedPerSecond}/s), ${tally.done} done (${result.donePerSecond}/s), ` +
      `${tally.failed + tally.unfinished} failed (${result.failedPercent} %, ${result.allowFailedPercent} % allowed), ` +
      `in ${result.seconds} s${result.interrupted ? ', interrupted' : ''}`,
    `latency from the intended start: p50 ${p50} ms, p95 ${p95}, p99 ${p99}, p99.9 ${p999}, max ${max}`,
    ...Object.entries(tally.failures).map(([label, count]) => `failed: ${count} × ${label}`),
    ...(tally.unfinished > 0 ? [`failed: ${tally.unfinished} × not over when the run ended`] : []),
    Object.entries(result.figures)
      .map(([name, value]) => `${words(name)} ${value}`)
      .join(', '),
    ...server,
    `generator: ${generator.cores} cores, late p99 ${generator.latenessP99Ms} ms, max ${generator.latenessMaxMs} ms`,
    ...(result.otherCores !== undefined && result.otherCores > QUIET_CORES
      ? [`DOUBTFUL: other programs used ${result.otherCores} cores of this machine meanwhile`]
      : []),
    ...[generatorLimit(generator)].filter((line) => line !== undefined),
    ...(limits === undefined ? ['the server could not be asked for its limits'] : limitLines(limits)),
    ...result.faults.map((fault) => `WRONG: ${fault}`),
    ...result.leftBehind.map((what) => `not taken away: ${what}`),
  ].filter((line) => line !== '');
}

function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
