import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { peer } from '../src/testkit/peers.ts';

export interface SippRun {
  readonly target: string;
  readonly port: number;
  readonly scenario: string;
  readonly folder: string;
  readonly name: string;
  readonly ratePerSecond: number;
  readonly count: number;
  /** Lines for `-inf`, below `SEQUENTIAL`. */
  readonly users?: readonly string[];
  readonly timeoutSeconds?: number;
  readonly extra?: readonly string[];
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly seconds: number;
}

/** Runs a scenario to its end; bounded by its count and its time. */
export async function runSipp(run: SippRun): Promise<SippResult> {
  const started = performance.now();
  const { process: sipp, stats } = startSipp(run);
  const { code } = await sipp.ended;
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0 && code !== 1) throw new Error(`SIPp ended with ${code}:\n${sipp.output().slice(-2000)}`);
  return { ...readStats(stats), seconds };
}

export function startSipp(run: SippRun): { readonly process: RunningProcess; readonly stats: string } {
  const scenario = join(run.folder, `${run.name}.xml`);
  const stats = join(run.folder, `${run.name}.csv`);
  writeFileSync(scenario, run.scenario);
  const users = join(run.folder, `${run.name}-users.csv`);
  if (run.users !== undefined) writeFileSync(users, ['SEQUENTIAL', ...run.users, ''].join('\n'));
  const sipp = RunningProcess.start(
    peer('sipp').path,
    [
      ...(run.target === '' ? [] : [run.target]),
      ...[
        '-i',
        '127.0.0.1',
        '-p',
        String(run.port),
        '-sf',
        scenario,
        '-nostdin',
        '-trace_stat',
        '-stf',
        stats,
        '-fd',
        '1',
      ],
      ...['-m', String(run.count), '-r', String(run.ratePerSecond), '-l', '20000', '-buff_size', '4000000'],
      ...['-timeout', `${run.timeoutSeconds ?? 60}s`],
      ...(run.users === undefined ? [] : ['-inf', users]),
      ...(run.extra ?? []),
    ],
    { cwd: run.folder },
  );
  return { process: sipp, stats };
}

function readStats(path: string): Omit<SippResult, 'seconds'> {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const names = (lines[0] ?? '').split(';');
  const values = (lines.at(-1) ?? '').split(';');
  const value = (name: string): number => Number(values[names.indexOf(name)] ?? Number.NaN);
  return {
    successful: value('SuccessfulCall(C)'),
    failed: value('FailedCall(C)'),
    retransmissions: value('Retransmissions(C)'),
  };
}
