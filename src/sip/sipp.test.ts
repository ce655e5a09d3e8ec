import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatEndpoint } from '../base/network.ts';
import { RunningProcess } from '../testkit/child-process.ts';
import { EventLog } from '../testkit/event-log.ts';
import { peer } from '../testkit/peers.ts';
import { claimPorts } from '../testkit/port-block.ts';
import type { Scope } from '../testkit/scope.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { openAdmission, openAgent } from './test/open-agent.ts';
import { reverseScope } from './test/reverse-scope.ts';
import { audioSdp } from './test/session-descriptions.ts';
import { REGISTER_DIGEST } from './test/sipp-scenarios.ts';
import type { CallFailure, SipCall, UserAgent } from './user-agent.ts';

const sipp = peer('sipp');
const trunkAdmission = {
  ...openAdmission(),
  trustedPeer: async () => ({ kind: 'trunk', accountSid: 'AC1', name: 'sipp' }) as const,
};

async function run(scope: Scope, args: readonly string[]): Promise<RunningProcess> {
  const folder = temporaryFolder(scope, 'sipp');
  const process = RunningProcess.start(sipp.path, [...args, '-nostdin', '-timeout', '20s', '-i', '127.0.0.1'], {
    cwd: folder,
  });
  scope.after(async () => void (await process.end('SIGKILL')));
  return process;
}

test('SIPp registers a hundred users with digest', sipp.options, async (context) => {
  const t = reverseScope(context);
  const agent = await openAgent(t);
  const folder = temporaryFolder(t, 'sipp-register');
  const { first } = await claimPorts(t);
  const users = Array.from(
    { length: 100 },
    (_, index) => `u${index};[authentication username=u${index} password=secret]`,
  );
  writeFileSync(join(folder, 'users.csv'), ['SEQUENTIAL', ...users, ''].join('\n'));
  writeFileSync(join(folder, 'register.xml'), REGISTER_DIGEST);
  const args = [formatEndpoint(agent.addresses.udp), '-p', String(first), '-sf', join(folder, 'register.xml')];
  const process = await run(t, [...args, '-inf', join(folder, 'users.csv'), '-m', '100', '-r', '100']);
  assert.deepEqual(await process.ended, { code: 0, signal: null });
  const [binding] = await agent.bindings('sip:u99@127.0.0.1');
  assert.equal(binding?.contact, `sip:u99@127.0.0.1:${first}`);
});

for (const [transport, flag] of [
  ['udp', 'u1'],
  ['tcp', 't1'],
] as const) {
  test(`SIPp calls fifty times over ${transport}, is answered and hangs up`, sipp.options, async (context) => {
    const t = reverseScope(context);
    const agent = await openAgent(t, { admission: trunkAdmission });
    const failures: unknown[] = [];
    agent.onIncomingCall((call) => {
      call.ringing();
      call.answer(audioSdp('127.0.0.1', 40_200)).catch((error: unknown) => failures.push(error));
    });
    const { first } = await claimPorts(t);
    const args = ['-sn', 'uac', formatEndpoint(agent.addresses[transport]), '-p', String(first), '-t', flag];
    const process = await run(t, [...args, '-m', '50', '-r', '50', '-d', '20']);
    assert.deepEqual(await process.ended, { code: 0, signal: null });
    assert.deepEqual(failures, []);
  });

  test(`SIPp is called ten times over ${transport} and is hung up`, sipp.options, async (context) => {
    const t = reverseScope(context);
    const agent = await openAgent(t);
    const { first } = await claimPorts(t);
    const process = await run(t, ['-sf', await answeringScenario(t), '-p', String(first), '-t', flag, '-m', '10']);
    await listening(first, transport);
    await Promise.all(
      Array.from({ length: 10 }, () => callAndHangUp(agent, `sip:sipp@127.0.0.1:${first};transport=${transport}`)),
    );
    assert.deepEqual(await process.ended, { code: 0, signal: null });
  });
}

async function callAndHangUp(agent: UserAgent, uri: string): Promise<void> {
  const outcome = new EventLog<{ readonly call?: SipCall; readonly failure?: CallFailure }>(String);
  agent.placeCall(
    {
      target: { uri },
      from: '<sip:tester@127.0.0.1>',
      to: '<sip:sipp@127.0.0.1>',
      offer: async (address) => audioSdp(address, 40_300),
      ringTimeoutMs: 10_000,
    },
    {
      progress: () => undefined,
      answered: (call) => outcome.push({ call }),
      failed: (failure) => outcome.push({ failure }),
    },
  );
  const { call, failure } = await outcome.waitFor(() => true, { what: 'the answer' });
  assert.equal(failure, undefined, JSON.stringify(failure));
  await call?.hangup();
}

/** SIPp's own callee without the four seconds that it waits after each call. */
async function answeringScenario(scope: Scope): Promise<string> {
  const path = join(temporaryFolder(scope, 'sipp-answer'), 'uas.xml');
  const printer = await run(scope, ['-sd', 'uas']);
  await printer.ended;
  writeFileSync(path, printer.stdout.all.join('\n').replace(/<timewait[^>]*>/, ''));
  return path;
}

/** SIPp says nothing when its socket is open: the kernel's table does. */
async function listening(port: number, transport: 'udp' | 'tcp'): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline) {
    const lines = (await readFile(`/proc/net/${transport}`, 'utf8')).split('\n');
    if (lines.some((line) => line.slice(0, 24).includes(wanted))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`SIPp did not open ${transport} port ${port}`);
}
