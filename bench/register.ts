// REGISTER beside Kamailio: node bench/register.ts [--kind digest|refresh] [rate ...]
import { parseArgs } from 'node:util';
import { claimPorts } from '../src/testkit/port-block.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { measured } from './bench-scope.ts';
import { startKamailioPeer } from './kamailio-peer.ts';
import { cpuSeconds } from './process-cost.ts';
import { REFRESHES, REGISTER_PLAIN, REGISTER_REFRESH, REGISTER_WITH_DIGEST } from './scenarios.ts';
import { runSipp, type SippResult } from './sipp.ts';

const USERS = 200;
/** Both servers are measured at work: a program that is compiled while it runs is not ready in its first seconds. */
const WARM_UP_SECONDS = 4;
const SECONDS = 8;
const users = Array.from({ length: USERS }, (_, index) => `u${index}`);

interface Load {
  readonly scenario: string;
  /** Registrations that a call of the scenario completes. */
  readonly registrations: number;
}

const DIGEST: Load = { scenario: REGISTER_WITH_DIGEST, registrations: 1 };
const REFRESH: Load = { scenario: REGISTER_REFRESH, registrations: REFRESHES + 1 };
const PLAIN: Load = { scenario: REGISTER_PLAIN, registrations: 1 };

interface Server {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}

async function measure(server: Server, load: Load, scope: Scope, rate: number): Promise<void> {
  await run(server, load, scope, { rate, seconds: WARM_UP_SECONDS });
  const before = cpuSeconds(server.pid);
  const result = await run(server, load, scope, { rate, seconds: SECONDS });
  const cpu = cpuSeconds(server.pid) - before;
  const done = result.successful * load.registrations;
  const share = (result.failed / (result.successful + result.failed)) * 100;
  console.log(
    `${server.name.padEnd(20)} ${String(rate).padStart(6)}/s asked, ${(done / result.seconds).toFixed(0).padStart(6)}/s done, ` +
      `${result.failed} failed (${share.toFixed(2)} %), ${result.retransmissions} repeated, ` +
      `${((cpu / done) * 1e6).toFixed(0)} us CPU each, ${(cpu / result.seconds).toFixed(2)} core`,
  );
}

async function run(
  server: Server,
  load: Load,
  scope: Scope,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<SippResult> {
  const { first } = await claimPorts(scope);
  const callsPerSecond = Math.round(rate / load.registrations);
  return runSipp({
    target: server.address,
    port: first,
    scenario: load.scenario,
    folder: temporaryFolder(scope, 'sipp'),
    name: 'register',
    ratePerSecond: callsPerSecond,
    count: callsPerSecond * seconds,
    users: users.map((user) => `${user};[authentication username=${user} password=pw${user}]`),
  });
}

async function kamailio(name: string, load: Load, rate: number): Promise<void> {
  await measured(async (scope) => {
    const { address, pid } = await startKamailioPeer(scope, load !== PLAIN);
    await measure({ name, address, pid }, load, scope, rate);
  });
}

async function tandem(load: Load, rate: number): Promise<void> {
  await measured(async (scope) => {
    const phones = users.map((name) => ({ name, password: `pw${name}` }));
    const { ready } = await Tandem.start(scope, { config: { phones } });
    await measure({ name: 'Tandem', address: ready.sip.udp, pid: ready.pid }, load, scope, rate);
  });
}

const { values, positionals } = parseArgs({
  options: { kind: { type: 'string', default: 'digest' } },
  allowPositionals: true,
});
for (const rate of positionals.length === 0 ? [1000, 2000, 4000] : positionals.map(Number)) {
  if (values.kind === 'refresh') {
    await kamailio('Kamailio, no digest', PLAIN, rate);
    await kamailio('Kamailio', REFRESH, rate);
    await tandem(REFRESH, rate);
  } else {
    await kamailio('Kamailio', DIGEST, rate);
    await tandem(DIGEST, rate);
  }
}
