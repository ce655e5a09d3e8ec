import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header, headers, type SipMessage } from '../../wire/sip/message.ts';
import { parseAuthorization } from '../../wire/sip/digest.ts';
import { placeCall } from '../test/call-log.ts';
import { Scene } from '../test/scene.ts';
import { audioSdp } from '../test/session-descriptions.ts';
import type { SipCall } from '../user-agent.ts';

const isRequest =
  (method: string) =>
  (message: SipMessage): boolean =>
    message.kind === 'request' && message.method === method;

async function openScene(t: {
  after(fn: () => Promise<void>): void;
}): Promise<{ scene: Scene; peer: Awaited<ReturnType<Scene['peer']>> }> {
  const scene = new Scene(t);
  await scene.open();
  return { scene, peer: await scene.peer() };
}

test('an answered call is acknowledged, and each repeated 2xx with the same ACK', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  const invite = peer.request('INVITE');
  peer.respond(invite, 180);
  peer.answer(invite);
  await scene.advance(10);
  peer.answer(invite);
  await scene.advance(10);
  assert.deepEqual(log.sent, [log.placed.callId]);
  assert.deepEqual(log.progress, [{ status: 180, sdp: undefined }]);
  assert.equal(log.calls.length, 1);
  assert.equal(log.answers[0], audioSdp('10.0.0.2', 30_000));
  const [first, second, ...more] = peer.requests('ACK');
  assert.ok(first);
  assert.deepEqual(first, second);
  assert.equal(more.length, 0);
  assert.notEqual(header(first, 'Via'), header(invite, 'Via'), 'an ACK of a 2xx has a branch of its own');
  assert.equal(first.uri, peer.uri);
});

test('without any answer the INVITE is repeated at doubling intervals and given up after 64*T1', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(40_000);
  const times = peer.timesOf(isRequest('INVITE'));
  assert.deepEqual(
    times.map((time) => time - (times[0] ?? 0)),
    [0, 500, 1500, 3500, 7500, 15_500, 31_500],
  );
  assert.equal(log.failures.length, 1);
  assert.deepEqual([log.failures[0]?.cause, log.failures[0]?.status], ['timeout', 408]);
});

test('a second fork that answers is acknowledged and ended', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  const invite = peer.request('INVITE');
  peer.respond(invite, 183, { toTag: 'a', sdp: audioSdp('10.0.0.2', 1) });
  peer.respond(invite, 183, { toTag: 'b', sdp: audioSdp('10.0.0.2', 2) });
  peer.answer(invite, { toTag: 'a' });
  peer.answer(invite, { toTag: 'b' });
  await scene.advance(20);
  assert.equal(log.calls.length, 1);
  assert.equal(log.progress.length, 2);
  assert.deepEqual(
    peer.requests('ACK').map((ack) => header(ack, 'To')?.slice(-5)),
    ['tag=a', 'tag=b'],
  );
  const bye = peer.request('BYE');
  assert.equal(peer.requests('BYE').length, 1);
  assert.ok(header(bye, 'To')?.endsWith('tag=b'));
});

test('a call that carries another one on has what is left of its Max-Forwards', async (t) => {
  const { scene, peer } = await openScene(t);
  placeCall(scene, peer.uri, { maxForwards: 4 });
  await scene.advance(10);
  assert.equal(header(peer.request('INVITE'), 'Max-Forwards'), '4');
});

test('a peer that answers with ever new tags is not followed for ever', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  const invite = peer.request('INVITE');
  for (let index = 0; index < 100; index += 1) peer.answer(invite, { toTag: `tag-${index}` });
  await scene.advance(20);
  assert.equal(log.calls.length, 1);
  assert.equal(peer.requests('ACK').length, 32);
  assert.equal(peer.requests('BYE').length, 31);
});

test('CANCEL waits for a provisional response, then the call ends with 487', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  log.placed.cancel();
  await scene.advance(10);
  assert.equal(peer.requests('CANCEL').length, 0);
  const invite = peer.request('INVITE');
  peer.respond(invite, 180);
  await scene.advance(10);
  const cancel = peer.request('CANCEL');
  assert.equal(header(cancel, 'Via'), header(invite, 'Via'));
  assert.equal(header(cancel, 'CSeq'), '1 CANCEL');
  peer.respond(cancel, 200);
  peer.respond(invite, 487);
  await scene.advance(10);
  assert.deepEqual([log.failures[0]?.cause, log.failures[0]?.status], ['cancelled', 487]);
  const ack = peer.request('ACK');
  assert.equal(header(ack, 'Via'), header(invite, 'Via'));
});

test('a 2xx that crosses the CANCEL is acknowledged and ended', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  const invite = peer.request('INVITE');
  peer.respond(invite, 180);
  await scene.advance(10);
  log.placed.cancel();
  peer.answer(invite);
  await scene.advance(20);
  assert.equal(peer.requests('ACK').length, 1);
  assert.equal(peer.requests('BYE').length, 1);
  assert.equal(log.calls.length, 0);
  assert.equal(log.failures[0]?.cause, 'cancelled');
});

test('whoever cancels a call whose peer is silent is told after T1; a late answer is still ended', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  const invite = peer.request('INVITE');
  peer.respond(invite, 180);
  await scene.advance(10);
  log.placed.cancel();
  await scene.advance(450);
  assert.equal(log.failures.length, 0);
  await scene.advance(100);
  assert.deepEqual([log.failures[0]?.cause, log.failures[0]?.status], ['cancelled', 487]);
  await scene.advance(5_000);
  peer.answer(invite);
  await scene.advance(20);
  assert.equal(peer.requests('ACK').length, 1);
  assert.equal(peer.requests('BYE').length, 1);
  assert.deepEqual([log.calls.length, log.failures.length], [0, 1]);
});

test('the ring timeout of a phone that never says a word is kept, and its late word is answered with CANCEL', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri, { ringTimeoutMs: 2_000 });
  await scene.advance(2_600);
  assert.equal(log.failures[0]?.cause, 'no-answer');
  peer.respond(peer.request('INVITE'), 180);
  await scene.advance(10);
  assert.equal(peer.requests('CANCEL').length, 1);
  assert.deepEqual(log.progress, []);
  await scene.advance(40_000);
  assert.equal(log.failures.length, 1);
});

test('a phone that rings too long is cancelled as no-answer', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri, { ringTimeoutMs: 20_000 });
  await scene.advance(10);
  const invite = peer.request('INVITE');
  peer.respond(invite, 180);
  await scene.advance(20_000);
  peer.respond(invite, 487);
  await scene.advance(10);
  assert.equal(peer.requests('CANCEL').length, 1);
  assert.equal(log.failures[0]?.cause, 'no-answer');
});

test('a refusal carries its status, reason and Retry-After', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  peer.respond(peer.request('INVITE'), 486, { headers: [{ name: 'Retry-After', value: '30 (in a call)' }] });
  await scene.advance(10);
  assert.deepEqual(log.failures, [{ cause: 'rejected', status: 486, reason: 'Busy Here', retryAfterMs: 30_000 }]);
  assert.equal(peer.requests('ACK').length, 1);
});

test('a redirection is followed, and a ring of redirections ends', async (t) => {
  const { scene, peer } = await openScene(t);
  const other = await scene.peer('10.0.0.3');
  const log = placeCall(scene, peer.uri);
  await scene.advance(10);
  const contacts = [{ name: 'Contact', value: `<${other.uri}>, <tel:123>, <sip:x@10.0.0.9?Subject=hi>` }];
  peer.respond(peer.request('INVITE'), 302, { headers: contacts });
  await scene.advance(10);
  const redirected = other.request('INVITE');
  assert.equal(redirected.uri, other.uri);
  assert.equal(header(redirected, 'CSeq'), '2 INVITE');
  other.respond(redirected, 302, { headers: [{ name: 'Contact', value: `<${peer.uri}>` }] });
  await scene.advance(10);
  assert.equal(peer.requests('INVITE').length, 1, 'no target is called twice');
  assert.deepEqual([log.failures[0]?.cause, log.failures[0]?.status], ['rejected', 302]);
});

test('each redirection halves the breadth, and none is followed that has nothing left', async (t) => {
  const { scene, peer } = await openScene(t);
  const others = [await scene.peer('10.0.0.3'), await scene.peer('10.0.0.4'), await scene.peer('10.0.0.5')];
  const log = placeCall(scene, peer.uri, { maxBreadth: 5 });
  await scene.advance(10);
  const breadths: (string | undefined)[] = [];
  for (const [index, asked] of [peer, ...others.slice(0, 2)].entries()) {
    const invite = asked.request('INVITE');
    breadths.push(header(invite, 'Max-Breadth'));
    asked.respond(invite, 302, { headers: [{ name: 'Contact', value: `<${others[index]?.uri ?? ''}>` }] });
    await scene.advance(10);
  }
  assert.deepEqual(breadths, ['5', '2', '1']);
  assert.equal(others[2]?.requests('INVITE').length, 0);
  assert.equal(log.failures[0]?.status, 302);
});

test('a redirection that may not be followed is passed over', async (t) => {
  const { scene, peer } = await openScene(t);
  const [forbidden, allowed] = [await scene.peer('10.0.0.3'), await scene.peer('10.0.0.4')];
  placeCall(scene, peer.uri, { mayFollow: async (uri) => uri === allowed.uri });
  await scene.advance(10);
  const contacts = [{ name: 'Contact', value: `<${forbidden.uri}>;q=1, <${allowed.uri}>;q=0.5` }];
  peer.respond(peer.request('INVITE'), 302, { headers: contacts });
  await scene.advance(10);
  assert.equal(forbidden.requests('INVITE').length, 0);
  assert.equal(allowed.request('INVITE').uri, allowed.uri);
});

test('a challenge is answered once; the same refusal again ends the call', async (t) => {
  const { scene, peer } = await openScene(t);
  const credentials = { username: 'me', password: 'secret' };
  const log = placeCall(scene, peer.uri, { credentials });
  const challenge = (nonce: string, stale = '') => ({
    headers: [
      {
        name: 'Proxy-Authenticate',
        value: `Digest realm="r", nonce="${nonce}", algorithm=SHA-256, qop="auth"${stale}`,
      },
      { name: 'Proxy-Authenticate', value: `Digest realm="r", nonce="${nonce}", algorithm=MD5, qop="auth"${stale}` },
    ],
  });
  await scene.advance(10);
  peer.respond(peer.request('INVITE'), 407, challenge('n1'));
  await scene.advance(10);
  const second = parseAuthorization(header(peer.request('INVITE'), 'Proxy-Authorization') ?? '');
  assert.deepEqual([second?.algorithm, second?.nonce, second?.protection?.nonceCount], ['SHA-256', 'n1', '00000001']);
  peer.respond(peer.request('INVITE'), 407, challenge('n2', ', stale=true'));
  await scene.advance(10);
  assert.equal(peer.requests('INVITE').length, 3, 'a stale nonce is no refusal');
  assert.equal(headers(peer.request('INVITE'), 'Proxy-Authorization').length, 1);
  peer.respond(peer.request('INVITE'), 407, challenge('n3'));
  await scene.advance(10);
  assert.equal(peer.requests('INVITE').length, 3);
  assert.deepEqual([log.failures[0]?.cause, log.failures[0]?.status], ['rejected', 407]);
});

test('the next server of a name is tried after 503 and after silence', async (t) => {
  const scene = new Scene(t);
  const record = (target: string, priority: number) => ({ target, port: 5060, priority, weight: 0 });
  await scene.open({
    resolver: {
      srv: async (name) =>
        name === '_sip._udp.trunk.test' ? [record('10.0.0.4', 3), record('10.0.0.2', 1), record('10.0.0.3', 2)] : [],
      addresses: async () => [],
    },
  });
  const [first, third] = [await scene.peer('10.0.0.2'), await scene.peer('10.0.0.4')];
  const log = placeCall(scene, 'sip:100@trunk.test', { ringTimeoutMs: 120_000 });
  await scene.advance(10);
  first.respond(first.request('INVITE'), 503);
  await scene.advance(10);
  assert.equal(third.requests('INVITE').length, 0, '10.0.0.3 comes first and is silent');
  await scene.advance(33_000);
  const invite = third.request('INVITE');
  assert.equal(invite.uri, 'sip:100@trunk.test');
  third.answer(invite);
  await scene.advance(10);
  assert.equal(log.calls.length, 1);
});

test('a name without an address is unreachable', async (t) => {
  const scene = new Scene(t);
  await scene.open();
  const log = placeCall(scene, 'sip:100@nowhere.test');
  await scene.advance(10);
  assert.deepEqual([log.failures[0]?.cause, log.failures[0]?.status], ['unreachable', 503]);
  assert.deepEqual(log.sent, []);
});

test('requests within the call follow the Record-Route of the answer, strict routers included', async (t) => {
  const { scene, peer } = await openScene(t);
  const log = placeCall(scene, 'sip:100@10.0.0.2:5060');
  await scene.advance(10);
  const recordRoute = '<sip:10.0.0.9;lr>, <sip:10.0.0.2:5060>';
  const contact = { name: 'Contact', value: '<sip:phone@10.0.0.77:5070>' };
  peer.answer(peer.request('INVITE'), { headers: [{ name: 'Record-Route', value: recordRoute }, contact] });
  await scene.advance(10);
  const ack = peer.request('ACK');
  // The first hop (the last Record-Route) has no lr: it takes the Request-URI and the target goes last.
  assert.equal(ack.uri, 'sip:10.0.0.2:5060');
  assert.deepEqual(headers(ack, 'Route'), ['<sip:10.0.0.9;lr>', '<sip:phone@10.0.0.77:5070>']);
  void log.calls[0]?.hangup();
  await scene.advance(10);
  peer.respond(peer.request('BYE'), 200);
  await scene.advance(10);
  assert.equal(header(peer.request('BYE'), 'CSeq'), '2 BYE');
});

test('a session interval that is too small is asked for again as the peer wants it', async (t) => {
  const { scene, peer } = await openScene(t);
  placeCall(scene, peer.uri);
  await scene.advance(10);
  peer.respond(peer.request('INVITE'), 422, { headers: [{ name: 'Min-SE', value: '3600' }] });
  await scene.advance(10);
  assert.equal(header(peer.request('INVITE'), 'Session-Expires'), '3600');
  assert.equal(header(peer.request('INVITE'), 'Min-SE'), '3600');
});

test('an agent can call itself: both sides of the call are its own', async (t) => {
  const scene = new Scene(t);
  const agent = await scene.open();
  const incoming: SipCall[] = [];
  agent.onIncomingCall((call) => {
    void call.answer(audioSdp('10.0.0.1', 20_002)).then((answered) => incoming.push(answered.call));
  });
  const log = placeCall(scene, 'sip:100@10.0.0.1:5060');
  await scene.advance(50);
  assert.equal(log.calls.length, 1);
  assert.equal(incoming.length, 1);
  void incoming[0]?.hangup();
  await scene.advance(50);
  assert.equal(log.events[0]?.kind === 'ended' && log.events[0].by, 'remote');
});
