import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header, headers, type SipMessage } from '../../wire/sip/message.ts';
import { SipError } from '../sip-error.ts';
import { openAdmission, REALM } from '../test/open-agent.ts';
import { Scene, type ScriptedPeer } from '../test/scene.ts';
import { audioSdp } from '../test/session-descriptions.ts';
import type { CallerIdentity, IncomingCall, SipCall, SipCallEvent } from '../user-agent.ts';

type Context = { after(fn: () => Promise<void>): void };
const SDP = audioSdp('10.0.0.1', 20_000);

async function openScene(t: Context): Promise<{ scene: Scene; peer: ScriptedPeer; calls: IncomingCall[] }> {
  const scene = new Scene(t);
  const agent = await scene.open();
  const calls: IncomingCall[] = [];
  agent.onIncomingCall((call) => calls.push(call));
  return { scene, peer: await scene.peer(), calls };
}

const isStatus =
  (status: number) =>
  (message: SipMessage): boolean =>
    message.kind === 'response' && message.status === status;

test('a call rings, is answered, acknowledged and ended by its caller', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  peer.invite({ headers: [{ name: 'Record-Route', value: '<sip:10.0.0.2;lr>' }] });
  await scene.advance(10);
  const [call] = calls;
  assert.equal(call?.offer, audioSdp('10.0.0.2', 30_000));
  assert.equal(call?.localAddress, '10.0.0.1');
  call?.ringing();
  const answered: SipCall[] = [];
  void call?.answer(SDP).then((answer) => answered.push(answer.call));
  await scene.advance(10);
  assert.deepEqual(peer.statuses('INVITE'), [100, 180, 200]);
  const [, ringing, ok] = peer.responses('INVITE');
  assert.ok(ok && ringing);
  assert.equal(header(ok, 'To'), header(ringing, 'To'));
  assert.equal(header(ok, 'Record-Route'), '<sip:10.0.0.2;lr>');
  assert.equal(header(ok, 'Contact'), '<sip:tandem@10.0.0.1:5060>');
  assert.equal(answered.length, 0, 'the call is there when its ACK is');
  peer.within(ok, 'ACK', { cseq: 1 });
  await scene.advance(10);
  const events: SipCallEvent[] = [];
  answered[0]?.onEvent((event) => events.push(event));
  peer.within(ok, 'BYE');
  await scene.advance(10);
  assert.deepEqual(peer.statuses('BYE'), [200]);
  assert.deepEqual(events, [{ kind: 'ended', by: 'remote' }]);
});

test('a 2xx is repeated until its ACK; without one the call is ended after 64*T1', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  peer.invite();
  await scene.advance(10);
  const answer = calls[0]?.answer(SDP);
  const outcome = assert.rejects(
    answer ?? Promise.resolve(),
    (error) => error instanceof SipError && error.code === 'no-ack',
  );
  await scene.advance(40_000);
  await outcome;
  const times = peer.timesOf(isStatus(200));
  assert.deepEqual(
    times.slice(0, 6).map((time) => time - (times[0] ?? 0)),
    [0, 500, 1500, 3500, 7500, 11_500],
  );
  assert.ok(peer.requests('BYE').length > 0);
});

test('a CANCEL ends a ringing call with 487', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  const invite = peer.invite({ branch: 'z9hG4bK-one' });
  await scene.advance(10);
  let cancelled = 0;
  calls[0]?.ringing();
  calls[0]?.onCancelled(() => (cancelled += 1));
  peer.ask('CANCEL', { branch: 'z9hG4bK-one' });
  await scene.advance(10);
  assert.deepEqual(peer.statuses('CANCEL'), [200]);
  assert.deepEqual(peer.statuses('INVITE'), [100, 180, 487]);
  assert.equal(cancelled, 1);
  await assert.rejects(async () => calls[0]?.answer(SDP), { code: 'cancelled' });
  peer.ask('CANCEL', { branch: 'z9hG4bK-unknown' });
  await scene.advance(10);
  assert.deepEqual(peer.statuses('CANCEL'), [200, 481]);
  peer.send({
    ...invite,
    method: 'ACK',
    headers: invite.headers.map((each) => (each.name === 'CSeq' ? { ...each, value: '1 ACK' } : each)),
  });
  await scene.advance(20_000);
  assert.equal(peer.timesOf(isStatus(487)).length, 1, 'the ACK stops the repeats');
});

test('a refusal is repeated until its ACK', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  peer.invite();
  await scene.advance(10);
  calls[0]?.reject(486, 'Busy Here', [{ name: 'Retry-After', value: '5' }]);
  await scene.advance(2_000);
  const busy = peer.responses('INVITE').at(-1);
  assert.equal(busy && header(busy, 'Retry-After'), '5');
  assert.equal(peer.timesOf(isStatus(486)).length, 3);
});

test('the same INVITE by another path is a merged request', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  peer.invite({ branch: 'z9hG4bK-left' });
  peer.invite({ branch: 'z9hG4bK-right' });
  peer.invite({ branch: 'z9hG4bK-left' });
  await scene.advance(10);
  assert.equal(calls.length, 1);
  assert.ok(peer.statuses('INVITE').includes(482));
});

test('an INVITE without an offer gets ours in the 2xx and answers in the ACK', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  peer.invite({ sdp: undefined });
  await scene.advance(10);
  assert.equal(calls[0]?.offer, undefined);
  const answer = calls[0]?.answer(SDP);
  await scene.advance(10);
  const ok = peer.responses('INVITE').at(-1);
  assert.ok(ok);
  peer.within(ok, 'ACK', { cseq: 1, sdp: audioSdp('10.0.0.2', 31_000) });
  await scene.advance(10);
  assert.equal((await answer)?.ackSdp, audioSdp('10.0.0.2', 31_000));
});

test('a caller behind a NAT is reached at the address that its INVITE came from', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  const text = [
    'INVITE sip:100@10.0.0.1 SIP/2.0',
    'Via: SIP/2.0/UDP 192.168.7.7:5060;branch=z9hG4bK-nat;rport',
    'From: <sip:peer@home.test>;tag=peer',
    'To: <sip:100@10.0.0.1>',
    'Call-ID: nat',
    'CSeq: 1 INVITE',
    'Contact: <sip:peer@192.168.7.7:5060>',
    'Content-Length: 0',
    '',
    '',
  ];
  peer.sendText(text.join('\r\n'));
  await scene.advance(10);
  const answer = calls[0]?.answer(SDP);
  await scene.advance(10);
  const ok = peer.responses('INVITE').at(-1);
  assert.ok(ok);
  assert.match(headers(ok, 'Via')[0] ?? '', /;rport=5060.*;received=10\.0\.0\.2/);
  peer.within(ok, 'ACK', { cseq: 1 });
  await scene.advance(10);
  void (await answer)?.call.hangup();
  await scene.advance(10);
  assert.equal(peer.request('BYE').uri, 'sip:peer@192.168.7.7:5060');
});

test('a drained or crowded server refuses new calls with 503 and Retry-After', async (t) => {
  const scene = new Scene(t);
  const agent = await scene.open({ limits: { callRate: { burst: 1, perSecond: 0.001 } } });
  agent.onIncomingCall((call) => call.reject(486));
  const peer = await scene.peer();
  peer.invite({ callId: 'one' });
  await scene.advance(10);
  peer.invite({ callId: 'two' });
  await scene.advance(10);
  const last = peer.responses('INVITE').at(-1);
  assert.equal(last?.status, 503);
  assert.match(header(last, 'Retry-After') ?? '', /^\d+$/);
});

test('after drain() calls in progress go on', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  peer.invite();
  await scene.advance(10);
  scene.agent.drain();
  const answer = calls[0]?.answer(SDP);
  await scene.advance(10);
  const ok = peer.responses('INVITE').at(-1);
  assert.ok(ok);
  peer.within(ok, 'ACK', { cseq: 1 });
  await scene.advance(10);
  assert.ok((await answer)?.call);
  peer.invite({ callId: 'late' });
  await scene.advance(10);
  assert.equal(peer.statuses('INVITE').at(-1), 503);
});

test('requests without a dialog get the answer that each is owed', async (t) => {
  const { scene, peer } = await openScene(t);
  const to = '<sip:100@10.0.0.1>;tag=unknown';
  for (const method of ['BYE', 'INFO', 'NOTIFY', 'UPDATE']) peer.ask(method, { callId: method, to });
  peer.ask('OPTIONS', { callId: 'o' });
  peer.ask('SUBSCRIBE', { callId: 's' });
  peer.ask('DANCE', { callId: 'd' });
  peer.ask('INVITE', { callId: 'i', headers: [{ name: 'Require', value: 'foo' }] });
  peer.ask('MESSAGE', { callId: 'm' });
  await scene.advance(10);
  for (const method of ['BYE', 'INFO', 'NOTIFY', 'UPDATE']) assert.deepEqual(peer.statuses(method), [481], method);
  assert.deepEqual(peer.statuses('SUBSCRIBE'), [405]);
  assert.deepEqual(peer.statuses('DANCE'), [501]);
  assert.deepEqual(peer.statuses('INVITE'), [420]);
  assert.deepEqual(peer.statuses('MESSAGE'), [503], 'nobody takes messages');
  const [options] = peer.responses('OPTIONS');
  assert.ok(options);
  assert.match(header(options, 'Allow') ?? '', /INVITE, ACK, CANCEL, BYE/);
  assert.match(header(options, 'Supported') ?? '', /timer/);
  assert.ok(header(options, 'Accept'));
});

test('MESSAGE reaches its handler with who sent it', async (t) => {
  const { scene, peer } = await openScene(t);
  const got: string[] = [];
  scene.agent.onMessage(async ({ request, caller }) => {
    got.push(`${caller.kind} ${new TextDecoder().decode(request.body)}`);
    return 202;
  });
  peer.ask('MESSAGE', { sdp: 'hello' });
  await scene.advance(10);
  assert.deepEqual(got, ['trunk hello']);
  assert.deepEqual(peer.statuses('MESSAGE'), [202]);
});

test('a trunk that challenges our BYE is answered with the credentials of the answer', async (t) => {
  const { scene, peer, calls } = await openScene(t);
  peer.invite();
  await scene.advance(10);
  const answer = calls[0]?.answer(SDP, { username: 'me', password: 'secret' });
  await scene.advance(10);
  const ok = peer.responses('INVITE').at(-1);
  assert.ok(ok);
  peer.within(ok, 'ACK', { cseq: 1 });
  await scene.advance(10);
  const over = (await answer)?.call.hangup();
  await scene.advance(10);
  const challenge = { name: 'Proxy-Authenticate', value: 'Digest realm="r", nonce="n", qop="auth"' };
  peer.respond(peer.request('BYE'), 407, { headers: [challenge] });
  await scene.advance(10);
  assert.match(header(peer.request('BYE'), 'Proxy-Authorization') ?? '', /^Digest username="me"/);
  peer.respond(peer.request('BYE'), 200);
  await scene.advance(10);
  await over;
});

test('a stranger who floods gets challenges that nothing repeats, and known callers still come through', async (t) => {
  const scene = new Scene(t);
  const agent = await scene.open({ limits: { callRate: { burst: 3, perSecond: 0.001 } } });
  agent.onIncomingCall((call) => call.reject(486));
  const stranger = await scene.peer('10.0.9.1');
  for (let index = 0; index < 10; index += 1) stranger.invite({ callId: `flood-${index}` });
  await scene.advance(10);
  assert.deepEqual(stranger.statuses('INVITE'), [407, 407, 407, 503, 503, 503, 503, 503, 503, 503]);
  const peer = await scene.peer();
  peer.invite({ callId: 'known' });
  await scene.advance(10);
  assert.equal(peer.statuses('INVITE').at(-1), 486);
  await scene.advance(40_000);
  assert.equal(stranger.statuses('INVITE').length, 10, 'no answer to a stranger is repeated');
});

test('a CANCEL that comes while it is looked up who calls is taken, and nothing rings', async (t) => {
  const scene = new Scene(t);
  const looked = { realm: Promise.withResolvers<string>(), peer: Promise.withResolvers<undefined>() };
  const calls: IncomingCall[] = [];
  const admission = { realm: () => looked.realm.promise, trustedPeer: () => looked.peer.promise };
  const agent = await scene.open({ admission: { ...openAdmission(), ...admission } });
  agent.onIncomingCall((call) => calls.push(call));
  const stranger = await scene.peer('10.0.9.3');
  // First the address is looked up, then the realm.
  stranger.invite({ branch: 'z9hG4bK-early' });
  await scene.advance(10);
  stranger.ask('CANCEL', { branch: 'z9hG4bK-early' });
  looked.peer.resolve(undefined);
  await scene.advance(10);
  looked.realm.resolve(REALM);
  await scene.advance(10);
  assert.deepEqual(stranger.statuses('CANCEL'), [200]);
  assert.deepEqual(stranger.statuses('INVITE'), [487]);
  assert.equal(calls.length, 0);
  // What is known no more is not there: the same CANCEL again finds nothing.
  stranger.ask('CANCEL', { branch: 'z9hG4bK-early', cseq: 1 });
  await scene.advance(10);
  assert.deepEqual(stranger.statuses('CANCEL'), [200, 481]);
});

test('a CANCEL of nothing and an OPTIONS leave nothing behind that could take the room of a call', async (t) => {
  const scene = new Scene(t);
  const agent = await scene.open({ limits: { maxTransactions: 3 } });
  agent.onIncomingCall((call) => call.reject(486));
  const stranger = await scene.peer('10.0.9.1');
  for (let index = 0; index < 5; index += 1) {
    stranger.ask('CANCEL', { branch: `z9hG4bK-cancel-${index}` });
    stranger.ask('OPTIONS', { callId: `options-${index}` });
  }
  await scene.advance(10);
  assert.deepEqual(stranger.statuses('CANCEL'), [481, 481, 481, 481, 481]);
  assert.deepEqual(stranger.statuses('OPTIONS'), [200, 200, 200, 200, 200]);
  const peer = await scene.peer();
  peer.invite();
  await scene.advance(10);
  assert.equal(peer.statuses('INVITE').at(-1), 486);
});

test('an INVITE that is repeated while its caller is looked up is one call', async (t) => {
  const scene = new Scene(t);
  const trustedPeer = (): Promise<CallerIdentity> =>
    new Promise((resolve) => {
      scene.clock.at(scene.clock.now() + 5, () => resolve({ kind: 'trunk', accountSid: 'AC1', name: 'trunk' }));
    });
  const agent = await scene.open({ admission: { ...openAdmission(), trustedPeer } });
  const calls: IncomingCall[] = [];
  agent.onIncomingCall((call) => calls.push(call));
  const peer = await scene.peer();
  peer.invite({ branch: 'z9hG4bK-same' });
  peer.invite({ branch: 'z9hG4bK-same' });
  peer.invite({ branch: 'z9hG4bK-merged' });
  await scene.advance(30);
  assert.equal(calls.length, 1);
  assert.deepEqual(peer.statuses('INVITE').toSorted(), [100, 482]);
});
