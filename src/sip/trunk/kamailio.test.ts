import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLog } from '../../testkit/event-log.ts';
import { Baresip } from '../../testkit/baresip.ts';
import { startKamailio } from '../../testkit/kamailio.ts';
import { everyPeer } from '../../testkit/peers.ts';
import { openAdmission, openAgent } from '../test/open-agent.ts';
import { reverseScope } from '../test/reverse-scope.ts';
import { audioSdp } from '../test/session-descriptions.ts';
import type { CallFailure, IncomingCall, SipCall, SipCallEvent, TrunkState } from '../user-agent.ts';

const peers = everyPeer('kamailio', 'baresip');

for (const transport of ['udp', 'tcp'] as const) {
  test(`calls go out and come in over a Kamailio trunk with digest, over ${transport}`, peers, async (context) => {
    const t = reverseScope(context);
    const kamailio = await startKamailio(t);
    const trunk = { kind: 'trunk', accountSid: 'AC1', name: 'kamailio' } as const;
    const agent = await openAgent(t, { admission: { ...openAdmission(), trustedPeer: async () => trunk } });
    const states = new EventLog<TrunkState>();
    const registration = agent.registerTrunk({
      registrar: `sip:${kamailio.address};transport=${transport}`,
      aor: `sip:7000@${kamailio.address}`,
      credentials: { username: '7000', password: 'pw7000' },
      expiresSeconds: 120,
      onState: (state) => states.push(state),
    });
    await states.waitFor(({ kind }) => kind === 'registered', { what: 'the registration' });
    const phone = await Baresip.start(t, { user: '1001', password: 'pw1001', server: kamailio.address });

    const outcome = new EventLog<{ readonly call?: SipCall; readonly failure?: CallFailure }>(String);
    agent.placeCall(
      {
        target: { uri: `sip:1001@${kamailio.address};transport=${transport}` },
        from: `<sip:7000@${kamailio.address}>`,
        to: `<sip:1001@${kamailio.address}>`,
        offer: async (address) => audioSdp(address, 40_100),
        credentials: { username: '7000', password: 'pw7000' },
        ringTimeoutMs: 10_000,
      },
      {
        progress: () => undefined,
        answered: (call) => outcome.push({ call }),
        failed: (failure) => outcome.push({ failure }),
      },
    );
    const { call, failure } = await outcome.waitFor(() => true, { what: 'the answer' });
    assert.equal(failure, undefined);
    await phone.event('CALL_ESTABLISHED');
    const mark = phone.events.mark();
    await call?.hangup();
    await phone.event('CALL_CLOSED');

    const calls = new EventLog<IncomingCall>(String);
    agent.onIncomingCall((incoming) => calls.push(incoming));
    await phone.dial(`sip:7000@${kamailio.address}`);
    const incoming = await calls.waitFor(() => true, { what: 'the call from the trunk' });
    assert.equal(incoming.caller.kind, 'trunk');
    const { call: second } = await incoming.answer(audioSdp(incoming.localAddress, 40_102));
    const events = new EventLog<SipCallEvent>();
    second.onEvent((event) => events.push(event));
    await phone.event('CALL_ESTABLISHED', { from: mark });
    await phone.hangup();
    await events.waitFor(({ kind }) => kind === 'ended', { what: 'the BYE through the trunk' });
    await registration.stop();
  });
}

test('a wrong password at the trunk is told, with the time of the next attempt', peers, async (context) => {
  const t = reverseScope(context);
  const kamailio = await startKamailio(t);
  const agent = await openAgent(t);
  const states = new EventLog<TrunkState>();
  agent.registerTrunk({
    registrar: `sip:${kamailio.address}`,
    aor: `sip:7000@${kamailio.address}`,
    credentials: { username: '7000', password: 'wrong' },
    expiresSeconds: 120,
    onState: (state) => states.push(state),
  });
  const failed = await states.waitFor(({ kind }) => kind === 'failed', { what: 'the refusal' });
  assert.ok(failed.kind === 'failed' && failed.status === 401 && failed.retryAt > Date.now());
});
