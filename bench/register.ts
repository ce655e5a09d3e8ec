// REGISTER with digest (401, then 200) beside Kamailio: node bench/register.ts [rate ...]
import { claimPorts } from '../src/testkit/port-block.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { measured } from './bench-scope.ts';
import { startKamailioPeer } from './kamailio-peer.ts';
import { cpuSeconds } from './process-cost.ts';
import { REGISTER_WITH_DIGEST } from './scenarios.ts';
import { runSipp } from './sipp.ts';

const USERS = 200;
const SECONDS = 4;
const RATES = process.argv.slice(2).map(Number);
const users = Array.from({ length: USERS }, (_, index) => `u${index}`);

interface Server {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}

async function measure(server: Server, scope: Scope, rate: number): Promise<void> {
  const { first } = await claimPorts(scope);
  const before = cpuSeconds(server.pid);
  const result = await runSipp({
    target: server.address,
    port: first,
    scenario: REGISTER_WITH_DIGEST,
    folder: temporaryFolder(scope, 'sipp'),
    name: 'register',
    ratePerSecond: rate,
    count: rate * SECONDS,
    users: users.map((user) => `${user};[authentication username=${user} password=pw${user}]`),
  });
  const cpu = cpuSeconds(server.pid) - before;
  const share = (result.failed / (result.successful + result.failed)) * 100;
  console.log(
    `${server.name.padEnd(9)} ${String(rate).padStart(6)}/s asked, ${(result.successful / result.seconds).toFixed(0).padStart(6)}/s done, ` +
      `${result.failed} failed (${share.toFixed(2)} %), ${result.retransmissions} repeated, ` +
      `${((cpu / result.successful) * 1e6).toFixed(0)} us CPU each, ${(cpu / result.seconds).toFixed(2)} core`,
  );
}

for (const rate of RATES.length === 0 ? [500, 1000, 2000] : RATES) {
  await measured(async (scope) => {
    const { address, pid } = await startKamailioPeer(scope, true);
    await measure({ name: 'Kamailio', address, pid }, scope, rate);
  });
  await measured(async (scope) => {
    const phones = users.map((name) => ({ name, password: `pw${name}` }));
    const tandem = await Tandem.start(scope, { config: { phones } });
    await measure({ name: 'Tandem', address: tandem.ready.sip.udp, pid: tandem.ready.pid }, scope, rate);
  });
}
