// calls.create, acknowledged when it is on disk, from 64 connections of wrk; PostgreSQL commits the same rows for pgbench.
// node bench/creates.ts [--seconds S] [--connections N] [--profile FOLDER]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { peer } from '../src/testkit/peers.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { measured } from './bench-scope.ts';
import { measureInserts } from './creates-peer.ts';
import { cpuSeconds, diskFlushes, eventLoopCpuSeconds } from './process-cost.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    connections: { type: 'string', default: '64' },
    profile: { type: 'string' },
  },
});
const SECONDS = Number(values.seconds);
const CONNECTIONS = Number(values.connections);
const WARM_UP_SECONDS = 5;
const FROM_NUMBERS = 400;
/** So slow that a lane holds what it is given; a day of it (432 calls each) is more than is asked for. */
const LANE_PER_SECOND = 0.005;
const PAGE_SIZE = 1000;

/** What `creates-load.lua` prints at its end; times in milliseconds. */
interface LoadFigures {
  readonly seconds: number;
  readonly created: number;
  readonly refused: number;
  readonly broken: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** `account`: all calls in the account's one lane, a call a second. `from`: a lane for each From number. */
async function tandem(scope: Scope, lanes: 'account' | 'from'): Promise<void> {
  const data = temporaryFolder(scope, 'creates');
  const sids = join(data, 'sids');
  const numbers = Array.from({ length: FROM_NUMBERS }, (_, index) => `+1202555${String(index).padStart(4, '0')}`);
  const config = {
    numbers: numbers.map((phoneNumber) => ({ phoneNumber })),
    ...(lanes === 'from' && {
      callsPerSecondFrom: Object.fromEntries(numbers.map((number) => [number, LANE_PER_SECOND])),
    }),
    requestsPerSecond: 100_000,
    logLevel: 'warn',
  };
  const environment =
    values.profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profile}` };
  const server = await Tandem.start(scope, { config, data, environment });
  await load(server, sids, WARM_UP_SECONDS);
  const before = {
    cpu: cpuSeconds(server.ready.pid),
    flushes: diskFlushes(),
    loop: eventLoopCpuSeconds(server.ready.pid),
  };
  const figures = await load(server, sids, SECONDS);
  const cpu = cpuSeconds(server.ready.pid) - before.cpu;
  const loop = eventLoopCpuSeconds(server.ready.pid) - before.loop;
  const flushes = diskFlushes() - before.flushes;
  console.log(
    `Tandem, a lane for ${lanes === 'from' ? 'each From number' : 'the account'}: ` +
      `${(figures.created / figures.seconds).toFixed(0)}/s acknowledged, ${figures.refused} refused, ${figures.broken} broken, ` +
      `${figures.p50.toFixed(1)}/${figures.p99.toFixed(1)}/${figures.p999.toFixed(1)}/${figures.max.toFixed(1)} ms, ` +
      `${((cpu / figures.created) * 1e6).toFixed(0)} us CPU each, ` +
      `${((loop / figures.created) * 1e6).toFixed(0)} of it the event loop (${(loop / figures.seconds).toFixed(2)} cores), ` +
      `${(flushes / figures.seconds).toFixed(0)} disk flushes/s`,
  );
  if (values.profile !== undefined) return server.stop();
  await server.kill();
  await everySidIsFound(await Tandem.start(scope, { config, data }), sids);
}

async function load(server: Tandem, sids: string, seconds: number): Promise<LoadFigures> {
  const { accountSid, authToken, http } = server.ready;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  const running = RunningProcess.start(peer('wrk').path, [
    ...['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '--timeout', '10s'],
    ...['-s', join(import.meta.dirname, 'creates-load.lua')],
    ...[`${http}/2010-04-01/Accounts/${accountSid}/Calls.json`, '--', authorization, String(FROM_NUMBERS), sids],
  ]);
  const line = await running.line(/^\{"seconds"/, { withinMs: (seconds + 30) * 1000 });
  await running.ended;
  for (const refused of running.stderr.all) console.log(refused);
  return JSON.parse(line) as LoadFigures;
}

/** After a crash and a new start, every call that was acknowledged is in the list of calls. */
async function everySidIsFound(server: Tandem, file: string): Promise<void> {
  const missing = new Set(readFileSync(file, 'utf8').trim().split('\n'));
  const acknowledged = missing.size;
  let next: string | null = `/2010-04-01/Accounts/${server.ready.accountSid}/Calls.json?PageSize=${PAGE_SIZE}`;
  while (next !== null) {
    const page = (await (await server.fetch(next)).json()) as {
      readonly calls: readonly { readonly sid: string }[];
      readonly next_page_uri: string | null;
    };
    for (const { sid } of page.calls) missing.delete(sid);
    next = page.next_page_uri;
  }
  console.log(
    missing.size === 0
      ? `  all ${acknowledged} acknowledged calls are found after kill -9 and a new start`
      : `WRONG: ${missing.size} of ${acknowledged} acknowledged calls are lost`,
  );
}

async function postgresql(scope: Scope): Promise<void> {
  const flushes = diskFlushes();
  const load = { clients: CONNECTIONS, warmUpSeconds: WARM_UP_SECONDS, seconds: SECONDS, keys: FROM_NUMBERS };
  const { perSecond, meanMs, cpuSecondsEach } = await measureInserts(scope, load);
  const flushed = (diskFlushes() - flushes) / (SECONDS + WARM_UP_SECONDS);
  console.log(
    `PostgreSQL, the same rows by pgbench: ${perSecond.toFixed(0)}/s committed, mean ${meanMs.toFixed(1)} ms, ` +
      `${(cpuSecondsEach * 1e6).toFixed(0)} us CPU each, ${flushed.toFixed(0)} disk flushes/s`,
  );
}

console.log(`${CONNECTIONS} connections, ${SECONDS} s after ${WARM_UP_SECONDS} s of warm-up; 50/99/99.9 % and worst`);
if (values.profile === undefined) await measured((scope) => postgresql(scope));
await measured((scope) => tandem(scope, 'account'));
await measured((scope) => tandem(scope, 'from'));
