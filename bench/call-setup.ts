// INVITE, 200, ACK, BYE. Kamailio relays to a SIPp callee; Tandem answers itself, by TwiML that it fetches over HTTP.
// node bench/call-setup.ts [--seconds N] [--only Tandem] [rate ...]
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { claimPorts } from '../src/testkit/port-block.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { measured } from './bench-scope.ts';
import { startKamailioPeer } from './kamailio-peer.ts';
import { cpuSecondsByRole } from './process-cost.ts';
import { CALLEE, caller, REGISTER_PLAIN } from './scenarios.ts';
import { runSipp, startSipp } from './sipp.ts';

const HOLD_MS = 1000;
/** For calls that are behind when the last one has begun. */
const LEFT_OVER_SECONDS = 30;
const NUMBER = '+12025550100';
/** More than the testkit's own share, which ends at 63 calls at once. */
const RTP_PORTS = '34000-59999';
const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, only: { type: 'string' } },
  allowPositionals: true,
});
const SECONDS = Number(values.seconds);
const RATES = positionals.map(Number);

interface Setup {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
  readonly callee: string;
  readonly callerPort: number;
}

async function measure(setup: Setup, scope: Scope, rate: number): Promise<void> {
  const before = cpuSecondsByRole(setup.pid);
  const result = await runSipp({
    target: setup.address,
    port: setup.callerPort,
    scenario: caller(setup.callee, HOLD_MS),
    folder: temporaryFolder(scope, 'sipp'),
    name: 'caller',
    ratePerSecond: rate,
    count: rate * SECONDS,
    timeoutSeconds: SECONDS + LEFT_OVER_SECONDS,
  });
  const after = cpuSecondsByRole(setup.pid);
  const media = after.media - before.media;
  const cpu = after.main + after.other - before.main - before.other + media;
  console.log(
    `${setup.name.padEnd(9)} ${String(rate).padStart(5)} calls/s asked, ${result.successful} done, ${result.failed} failed, ` +
      `${result.retransmissions} repeated, ${((cpu / result.successful) * 1e3).toFixed(2)} ms CPU each (media ${((media / result.successful) * 1e3).toFixed(2)}), ${(cpu / result.seconds).toFixed(2)} core`,
  );
}

async function kamailio(scope: Scope, rate: number): Promise<void> {
  const { address, pid } = await startKamailioPeer(scope, false);
  const { first } = await claimPorts(scope);
  const calleePort = first + 2;
  const folder = temporaryFolder(scope, 'callee');
  await runSipp({
    target: address,
    port: calleePort,
    scenario: REGISTER_PLAIN,
    folder,
    name: 'register',
    ratePerSecond: 1,
    count: 1,
    users: ['callee'],
  });
  const { process: callee } = startSipp({
    target: '',
    port: calleePort,
    scenario: CALLEE,
    folder,
    name: 'callee',
    ratePerSecond: 1,
    count: rate * SECONDS,
    timeoutSeconds: SECONDS + LEFT_OVER_SECONDS,
  });
  scope.after(async () => void (await callee.end('SIGKILL')));
  await measure({ name: 'Kamailio', address, pid, callee: 'callee', callerPort: first }, scope, rate);
}

async function tandem(scope: Scope, rate: number): Promise<void> {
  const application = createServer((_request, response) => {
    response.setHeader('content-type', 'text/xml');
    response.end('<Response><Gather timeout="60"/></Response>');
  });
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  scope.after(async () => {
    application.closeAllConnections();
    application.close();
  });
  const voiceUrl = `http://127.0.0.1:${(application.address() as AddressInfo).port}/voice`;
  const { first } = await claimPorts(scope);
  const server = await Tandem.start(scope, {
    config: {
      numbers: [{ phoneNumber: NUMBER, voiceUrl }],
      trunks: [{ name: 'load', uri: `sip:127.0.0.1:${first}`, maxCalls: 10_000 }],
    },
    flags: ['--rtp', RTP_PORTS],
  });
  const { udp } = server.ready.sip;
  await measure(
    { name: 'Tandem', address: udp, pid: server.ready.pid, callee: NUMBER, callerPort: first },
    scope,
    rate,
  );
}

for (const rate of RATES.length === 0 ? [20, 50, 100] : RATES) {
  if (values.only !== 'Tandem') await measured((scope) => kamailio(scope, rate));
  if (values.only !== 'Kamailio') await measured((scope) => tandem(scope, rate));
}
