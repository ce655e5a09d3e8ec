import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEndpoint } from '../base/network.ts';
import { Baresip } from '../testkit/baresip.ts';
import { EventLog } from '../testkit/event-log.ts';
import { peer } from '../testkit/peers.ts';
import { openAgent, REALM } from './test/open-agent.ts';
import { reverseScope } from './test/reverse-scope.ts';
import { audioSdp } from './test/session-descriptions.ts';
import type { IncomingCall, SipCall, SipCallEvent, UserAgent } from './user-agent.ts';

const { options } = peer('baresip');
const RING_MS = 10_000;

interface Told {
  readonly what: string;
  readonly call?: SipCall;
  readonly event?: SipCallEvent;
  readonly status?: number;
}

async function callPhone(agent: UserAgent, user: string): Promise<{ log: EventLog<Told>; cancel(): void }> {
  const log = new EventLog<Told>((told) => JSON.stringify({ ...told, call: undefined }));
  const [contact] = await agent.bindings(`sip:${user}@127.0.0.1`);
  assert.ok(contact, 'the phone has a binding');
  const placed = agent.placeCall(
    {
      target: contact.target,
      from: `<sip:tester@${REALM}>`,
      to: `<sip:${user}@${REALM}>`,
      offer: async (address) => audioSdp(address, 40_000),
      ringTimeoutMs: RING_MS,
    },
    {
      sent: () => log.push({ what: 'sent' }),
      progress: (status) => log.push({ what: 'progress', status }),
      answered: (call) => {
        call.onEvent((event) => log.push({ what: 'event', event }));
        log.push({ what: 'answered', call });
      },
      failed: ({ cause, status }) => log.push({ what: cause, status }),
    },
  );
  return { log, cancel: () => placed.cancel() };
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`baresip registers over ${transport}, is called, answers and is hung up`, options, async (context) => {
    const t = reverseScope(context);
    const agent = await openAgent(t);
    const server = formatEndpoint(agent.addresses[transport]);
    const phone = await Baresip.start(t, { user: '1001', server, transport });
    const { log } = await callPhone(agent, '1001');
    const { call } = await log.waitFor(({ what }) => what === 'answered', { what: 'the answer' });
    await phone.event('CALL_ESTABLISHED');
    assert.deepEqual(log.all[0]?.what, 'sent');
    await call?.hangup();
    await phone.event('CALL_CLOSED');
  });

  test(`baresip calls over ${transport} with its password and hangs up`, options, async (context) => {
    const t = reverseScope(context);
    const agent = await openAgent(t);
    const server = formatEndpoint(agent.addresses[transport]);
    const calls = new EventLog<IncomingCall>((call) => call.callId);
    agent.onIncomingCall((call) => calls.push(call));
    const phone = await Baresip.start(t, { user: '1002', server, transport });
    await phone.dial(`sip:100@${server};transport=${transport}`);
    const call = await calls.waitFor(() => true, { what: 'the call' });
    assert.deepEqual(call.caller, { kind: 'phone', accountSid: 'AC1', username: '1002', domain: REALM });
    call.ringing();
    const { call: established } = await call.answer(audioSdp(call.localAddress, 40_002));
    const ended = new EventLog<SipCallEvent>();
    established.onEvent((event) => ended.push(event));
    await phone.event('CALL_ESTABLISHED');
    await phone.hangup();
    const end = await ended.waitFor(({ kind }) => kind === 'ended', { what: 'the BYE' });
    assert.equal(end.kind === 'ended' && end.by, 'remote');
  });
}

test('a ringing baresip is cancelled', options, async (context) => {
  const t = reverseScope(context);
  const agent = await openAgent(t);
  const phone = await Baresip.start(t, { user: '1003', server: formatEndpoint(agent.addresses.udp), answer: 'manual' });
  const { log, cancel } = await callPhone(agent, '1003');
  await log.waitFor(({ status }) => status === 180, { what: 'ringing' });
  cancel();
  const failure = await log.waitFor(({ what }) => what === 'cancelled', { what: 'the end of the call' });
  assert.equal(failure.status, 487);
  await phone.event('CALL_CLOSED');
});

test('a baresip that refuses a call answers busy', options, async (context) => {
  const t = reverseScope(context);
  const agent = await openAgent(t);
  const phone = await Baresip.start(t, { user: '1004', server: formatEndpoint(agent.addresses.udp), answer: 'manual' });
  const { log } = await callPhone(agent, '1004');
  await phone.event('CALL_INCOMING');
  await phone.hangup();
  const failure = await log.waitFor(({ what }) => what === 'rejected', { what: 'the refusal' });
  assert.equal(failure.status, 486);
});
