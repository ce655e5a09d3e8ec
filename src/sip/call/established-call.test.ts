import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header, type SipResponse } from '../../wire/sip/message.ts';
import { SipError } from '../sip-error.ts';
import { placeCall, type CallLog } from '../test/call-log.ts';
import { Scene, type ScriptedPeer } from '../test/scene.ts';
import { audioSdp } from '../test/session-descriptions.ts';
import type { SipCall, SipCallEvent } from '../user-agent.ts';

type Context = { after(fn: () => Promise<void>): void };
const OURS = audioSdp('10.0.0.1', 20_000);
const THEIRS = audioSdp('10.0.0.2', 30_000);
const HELD = audioSdp('10.0.0.2', 30_000, 'sendonly');
const ALLOW_UPDATE = { name: 'Allow', value: 'INVITE, ACK, BYE, UPDATE' };

interface Talk {
  readonly scene: Scene;
  readonly peer: ScriptedPeer;
  readonly call: SipCall;
  readonly events: readonly SipCallEvent[];
}

/** A call that we placed and the peer answered. */
async function talk(t: Context, answerHeaders = [ALLOW_UPDATE]): Promise<Talk & { readonly log: CallLog }> {
  const scene = new Scene(t);
  await scene.open();
  const peer = await scene.peer();
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  peer.answer(peer.request('INVITE'), { headers: answerHeaders });
  await scene.advance(10);
  const [call] = log.calls;
  assert.ok(call);
  return { scene, peer, call, events: log.events, log };
}

/** A call that the peer placed and we answered. */
async function answered(
  t: Context,
  inviteHeaders: { name: string; value: string }[] = [],
): Promise<Talk & { readonly ok: SipResponse }> {
  const scene = new Scene(t);
  const agent = await scene.open();
  const peer = await scene.peer();
  const events: SipCallEvent[] = [];
  let call: SipCall | undefined;
  agent.onIncomingCall((incoming) => {
    void incoming.answer(OURS).then((done) => {
      call = done.call;
      call.onEvent((event) => events.push(event));
    });
  });
  peer.invite({ headers: inviteHeaders });
  await scene.advance(10);
  const ok = peer.responses('INVITE').at(-1);
  assert.ok(ok);
  peer.within(ok, 'ACK', { cseq: 1 });
  await scene.advance(10);
  assert.ok(call);
  return { scene, peer, call, events, ok };
}

test('hold by re-INVITE: the offer goes up, the answer back, and both are acknowledged', async (t) => {
  const { scene, peer, events, ok } = await answered(t);
  peer.within(ok, 'INVITE', { sdp: HELD });
  await scene.advance(10);
  const offer = events.find((event) => event.kind === 'offer');
  assert.equal(offer?.offer, HELD);
  offer?.answer(OURS);
  await scene.advance(10);
  assert.equal(peer.statuses('INVITE').at(-1), 200);
  await scene.advance(600);
  assert.equal(peer.statuses('INVITE').filter((status) => status === 200).length, 3, 'repeated until its ACK');
  peer.within(ok, 'ACK', { cseq: 2 });
  await scene.advance(5_000);
  assert.equal(peer.statuses('INVITE').filter((status) => status === 200).length, 3);
});

test('our re-INVITE gets its answer; a refusal leaves the call as it was', async (t) => {
  const { scene, peer, call } = await talk(t);
  const held = call.reinvite(audioSdp('10.0.0.1', 20_000, 'sendonly'));
  await scene.advance(10);
  peer.answer(peer.request('INVITE'));
  await scene.advance(10);
  assert.equal(await held, THEIRS);
  assert.equal(header(peer.request('ACK'), 'CSeq'), '2 ACK');
  const refused = assert.rejects(call.reinvite(OURS), (error) => error instanceof SipError && error.status === 488);
  await scene.advance(10);
  peer.respond(peer.request('INVITE'), 488);
  await scene.advance(10);
  await refused;
  const [original] = peer.requests('INVITE');
  assert.ok(original);
  peer.back(original, 'INFO');
  await scene.advance(10);
  assert.deepEqual(peer.statuses('INFO'), [200]);
});

test('glare: the peer gets 491, and ours is tried again after a while', async (t) => {
  const { scene, peer, call } = await talk(t);
  const [original] = peer.requests('INVITE');
  assert.ok(original);
  const changed = call.reinvite(OURS);
  await scene.advance(10);
  peer.back(original, 'INVITE', { sdp: HELD });
  await scene.advance(10);
  assert.deepEqual(peer.statuses('INVITE'), [491]);
  peer.respond(peer.request('INVITE'), 491);
  await scene.advance(2_000);
  assert.equal(peer.requests('INVITE').length, 2, 'the owner of the Call-ID waits at least 2.1 s');
  await scene.advance(2_100);
  assert.equal(peer.requests('INVITE').length, 3);
  peer.answer(peer.request('INVITE'));
  await scene.advance(10);
  assert.equal(await changed, THEIRS);
});

test('a second INVITE while the first is open gets 500 with Retry-After', async (t) => {
  const { scene, peer, ok } = await answered(t);
  peer.within(ok, 'INVITE', { sdp: HELD, cseq: 2 });
  await scene.advance(10);
  peer.within(ok, 'INVITE', { sdp: HELD, cseq: 3 });
  await scene.advance(10);
  const last = peer.responses('INVITE').at(-1);
  assert.equal(last?.status, 500);
  assert.match(header(last, 'Retry-After') ?? '', /^\d+$/);
});

test('requests out of order get 500, gaps are fine', async (t) => {
  const { scene, peer, ok } = await answered(t);
  peer.within(ok, 'INFO', { cseq: 9 });
  await scene.advance(10);
  peer.within(ok, 'INFO', { cseq: 8 });
  await scene.advance(10);
  assert.deepEqual(peer.statuses('INFO'), [200, 500]);
});

test('UPDATE with an offer is answered, without one it is accepted', async (t) => {
  const { scene, peer, events, ok } = await answered(t);
  peer.within(ok, 'UPDATE', { cseq: 2 });
  await scene.advance(10);
  peer.within(ok, 'UPDATE', { cseq: 3, sdp: HELD });
  await scene.advance(10);
  const offer = events.find((event) => event.kind === 'offer');
  offer?.answer(OURS);
  offer?.answer('ignored');
  await scene.advance(10);
  assert.deepEqual(peer.statuses('UPDATE'), [200, 200]);
  assert.equal(new TextDecoder().decode(peer.responses('UPDATE')[1]?.body), OURS);
});

test('INFO goes both ways', async (t) => {
  const { scene, peer, call, events, ok } = await answered(t);
  peer.within(ok, 'INFO', { headers: [{ name: 'Content-Type', value: 'application/dtmf-relay' }] });
  await scene.advance(10);
  assert.deepEqual(events, [{ kind: 'info', contentType: 'application/dtmf-relay', body: '' }]);
  const status = call.info('application/dtmf-relay', 'Signal=5');
  await scene.advance(10);
  peer.respond(peer.request('INFO'), 200);
  await scene.advance(10);
  assert.equal(await status, 200);
});

test('481 to our request ends the call', async (t) => {
  const { scene, peer, call, events } = await talk(t);
  const status = call.info('text/plain', 'x');
  await scene.advance(10);
  peer.respond(peer.request('INFO'), 481);
  await scene.advance(10);
  assert.equal(await status, 481);
  assert.equal(events[0]?.kind === 'ended' && events[0].by, 'failure');
});

test('hanging up twice sends one BYE, and a peer that does not answer it is not waited for forever', async (t) => {
  const { scene, peer, call } = await talk(t);
  const over = Promise.all([call.hangup(), call.hangup('bored')]);
  await scene.advance(33_000);
  await over;
  assert.equal(new Set(peer.requests('BYE').map((bye) => header(bye, 'CSeq'))).size, 1);
});

test('we refresh a session at half of its interval, by UPDATE where the peer knows it', async (t) => {
  const { scene, peer } = await talk(t, [ALLOW_UPDATE, { name: 'Session-Expires', value: '600;refresher=uac' }]);
  await scene.advance(299_000);
  assert.equal(peer.requests('UPDATE').length, 0);
  await scene.advance(2_000);
  peer.respond(peer.request('UPDATE'), 200, { headers: [{ name: 'Session-Expires', value: '600;refresher=uac' }] });
  await scene.advance(301_000);
  assert.ok(peer.requests('UPDATE').length > 1);
});

test('without UPDATE a session is refreshed by a re-INVITE with the same description', async (t) => {
  const { scene, peer } = await talk(t, [{ name: 'Session-Expires', value: '600;refresher=uac' }]);
  await scene.advance(301_000);
  assert.equal(peer.requests('UPDATE').length, 0);
  assert.equal(new TextDecoder().decode(peer.request('INVITE').body), OURS);
});

test('a session that its refresher lets run out is ended before it expires', async (t) => {
  const session = [
    { name: 'Session-Expires', value: '600;refresher=uac' },
    { name: 'Supported', value: 'timer' },
  ];
  const { scene, peer, events, ok } = await answered(t, session);
  assert.equal(header(ok, 'Session-Expires'), '600;refresher=uac');
  assert.equal(header(ok, 'Require'), 'timer');
  await scene.advance(560_000);
  assert.equal(events.length, 0);
  await scene.advance(10_000);
  assert.equal(events[0]?.kind === 'ended' && events[0].by, 'session-timer');
  assert.ok(peer.requests('BYE').length > 0);
});

test('REFER: we send it and learn how it ended', async (t) => {
  const { scene, peer, call } = await talk(t);
  const transferred = call.refer('<sip:200@10.0.0.2>');
  await scene.advance(10);
  const refer = peer.request('REFER');
  assert.equal(header(refer, 'Refer-To'), '<sip:200@10.0.0.2>');
  peer.respond(refer, 202);
  const [invite] = peer.requests('INVITE');
  assert.ok(invite);
  const notify = (cseq: number, state: string, fragment: string): void => {
    peer.ask('NOTIFY', {
      callId: header(invite, 'Call-ID') ?? '',
      from: `${header(invite, 'To') ?? ''};tag=peer`,
      to: header(invite, 'From') ?? '',
      cseq,
      sdp: fragment,
      headers: [
        { name: 'Event', value: 'refer' },
        { name: 'Subscription-State', value: state },
      ],
    });
  };
  notify(1, 'active;expires=60', 'SIP/2.0 100 Trying\r\n');
  await scene.advance(10);
  notify(2, 'terminated;reason=noresource', 'SIP/2.0 486 Busy Here\r\n');
  await scene.advance(10);
  assert.deepEqual(peer.statuses('NOTIFY'), [200, 200]);
  assert.equal(await transferred, 486);
});

test('REFER: the peer asks, we accept and report in order', async (t) => {
  const { scene, peer, events, ok } = await answered(t);
  const referTo = '<sip:200@10.0.0.3?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>';
  peer.within(ok, 'REFER', { headers: [{ name: 'Refer-To', value: referTo }] });
  await scene.advance(10);
  const asked = events.find((event) => event.kind === 'refer');
  assert.equal(asked?.replacesDialog, 'abc|1|2');
  const report = asked?.accept();
  report?.notify(200, 'OK');
  await scene.advance(10);
  assert.deepEqual(peer.statuses('REFER'), [202]);
  const first = peer.request('NOTIFY');
  assert.equal(new TextDecoder().decode(first.body), 'SIP/2.0 100 Trying\r\n');
  assert.equal(header(first, 'Subscription-State'), 'active;expires=180');
  peer.respond(first, 200);
  await scene.advance(10);
  const second = peer.request('NOTIFY');
  assert.equal(new TextDecoder().decode(second.body), 'SIP/2.0 200 OK\r\n');
  assert.equal(header(second, 'Subscription-State'), 'terminated;reason=noresource');
});

test('an INVITE that replaces a call is handed up with its name, and 481 without such a call', async (t) => {
  const { scene, peer, ok } = await answered(t);
  const seen: (string | undefined)[] = [];
  scene.agent.onIncomingCall((call) => seen.push(call.replacesCallId));
  const tags = `to-tag=${/tag=(\w+)/.exec(header(ok, 'To') ?? '')?.[1] ?? ''};from-tag=peer`;
  peer.invite({ callId: 'other', headers: [{ name: 'Replaces', value: `call-1;${tags}` }] });
  peer.invite({ callId: 'third', headers: [{ name: 'Replaces', value: 'nothing;to-tag=1;from-tag=2' }] });
  await scene.advance(10);
  assert.deepEqual(seen, ['call-1']);
  assert.ok(peer.statuses('INVITE').includes(481));
});

test('BYE while our answer to a re-INVITE is open ends that with 487', async (t) => {
  const { scene, peer, ok } = await answered(t);
  peer.within(ok, 'INVITE', { sdp: HELD, cseq: 2 });
  await scene.advance(10);
  peer.within(ok, 'BYE', { cseq: 3 });
  await scene.advance(10);
  assert.deepEqual(peer.statuses('BYE'), [200]);
  assert.equal(peer.statuses('INVITE').at(-1), 487);
});
