import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DirectoryError } from '../../directory/directory-error.ts';
import { header, headers, type SipHeader } from '../../wire/sip/message.ts';
import { answerChallenge, chooseChallenge, formatAuthorization, type DigestAlgorithm } from '../../wire/sip/digest.ts';
import { nodeDigestHash } from '../auth/node-digest-hash.ts';
import { Scene, type PeerRequest, type ScriptedPeer } from '../test/scene.ts';

const AOR = 'sip:1001@home.test';
const USER_AGENT = { name: 'User-Agent', value: 'Test 1.0' };
const ADDRESS = '<sip:1001@10.0.0.1>';

interface Registration extends PeerRequest {
  readonly contacts?: readonly string[];
  readonly password?: string;
  readonly algorithm?: DigestAlgorithm;
  readonly nonceCount?: number;
  readonly user?: string;
}

/** Registers with whatever challenge comes; returns the final response's status. */
async function register(scene: Scene, peer: ScriptedPeer, options: Registration = {}): Promise<number> {
  const { contacts = ['<sip:1001@10.0.0.2:5060>'], password = 'secret', user = '1001' } = options;
  const { callId = `reg-${scene.elapsedMs}`, cseq = 1, headers: extra = [] } = options;
  const lines = [...contacts.map((value): SipHeader => ({ name: 'Contact', value })), USER_AGENT];
  const to = options.to ?? ADDRESS;
  const common = { callId, to, from: `${to};tag=peer`, uri: 'sip:10.0.0.1' };
  peer.askWith('REGISTER', lines, { ...common, cseq, headers: extra });
  await scene.advance(10);
  const challenged = peer.responses('REGISTER').at(-1);
  if (challenged?.status !== 401) return challenged?.status ?? 0;
  const offered = headers(challenged, 'WWW-Authenticate').filter((line) =>
    line.includes(`algorithm=${options.algorithm ?? 'MD5'}`),
  );
  const challenge = chooseChallenge(offered);
  assert.ok(challenge);
  const nonceCount = options.nonceCount ?? 1;
  const answer = {
    challenge,
    username: user,
    password,
    method: 'REGISTER',
    uri: 'sip:10.0.0.1',
    clientNonce: 'c',
    nonceCount,
  };
  const value = formatAuthorization(answerChallenge(nodeDigestHash, answer));
  peer.askWith('REGISTER', lines, { ...common, cseq: cseq + 1, headers: [...extra, { name: 'Authorization', value }] });
  await scene.advance(10);
  return peer.responses('REGISTER').at(-1)?.status ?? 0;
}

async function openScene(t: { after(fn: () => Promise<void>): void }): Promise<{ scene: Scene; peer: ScriptedPeer }> {
  const scene = new Scene(t);
  await scene.open();
  return { scene, peer: await scene.peer() };
}

const contactsOf = async (scene: Scene): Promise<readonly string[]> => {
  const found = scene.agent.bindings(AOR);
  return (await found).map(({ contact }) => contact);
};

test('a phone registers with SHA-256 or MD5 and is found under every name of this server', async (t) => {
  const { scene, peer } = await openScene(t);
  assert.equal(await register(scene, peer, { algorithm: 'SHA-256' }), 200);
  const ok = peer.responses('REGISTER').at(-1);
  assert.ok(ok);
  assert.equal(header(ok, 'Contact'), '<sip:1001@10.0.0.2:5060>;expires=600');
  assert.equal(await register(scene, peer, { algorithm: 'MD5' }), 200);
  for (const name of ['home.test', '10.0.0.1', '127.0.0.1']) {
    const [found] = await scene.agent.bindings(`sip:1001@${name}`);
    assert.equal(found?.aor, AOR);
    assert.deepEqual(found.target.flow, { transport: 'udp', remote: { address: '10.0.0.2', port: 5060 } });
  }
});

test('no binding lasts longer than was asked for, whatever fraction of a millisecond it is', async (t) => {
  const { scene, peer } = await openScene(t);
  await scene.advance(0.4);
  await register(scene, peer, { headers: [{ name: 'Expires', value: '120' }] });
  const ok = peer.responses('REGISTER').at(-1);
  assert.equal(ok && header(ok, 'Contact'), '<sip:1001@10.0.0.2:5060>;expires=120');
});

test('bindings expire, and Expires 0 removes them', async (t) => {
  const { scene, peer } = await openScene(t);
  await register(scene, peer, { headers: [{ name: 'Expires', value: '120' }] });
  await scene.advance(119_000);
  assert.equal((await contactsOf(scene)).length, 1);
  await scene.advance(2_000);
  assert.equal((await contactsOf(scene)).length, 0);
  await register(scene, peer);
  await register(scene, peer, { headers: [{ name: 'Expires', value: '0' }] });
  assert.equal((await contactsOf(scene)).length, 0);
});

test('several contacts are kept, best first, and * removes them all', async (t) => {
  const { scene, peer } = await openScene(t);
  await register(scene, peer, {
    contacts: ['<sip:a@10.0.0.2>;q=0.2', '<sip:b@10.0.0.2>;q=0.9', '<sip:c@10.0.0.2>;expires=90;q=0.5'],
  });
  assert.deepEqual(await contactsOf(scene), ['sip:b@10.0.0.2', 'sip:c@10.0.0.2', 'sip:a@10.0.0.2']);
  assert.equal(await register(scene, peer, { contacts: ['*'], headers: [{ name: 'Expires', value: '0' }] }), 200);
  assert.deepEqual(await contactsOf(scene), []);
});

test('where the directory refuses one of several contacts, none of them changes anything', async (t) => {
  const { scene, peer } = await openScene(t);
  const [old, fresh, refused] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((host) => `sip:1001@${host}`);
  assert.equal(await register(scene, peer, { contacts: [`<${old}>;q=0.2`] }), 200);
  const put = scene.directory.put.bind(scene.directory);
  scene.directory.put = async (key, id, value, ttlMs) => {
    if (value.includes(String(refused))) throw new DirectoryError('full', 'no room');
    await put(key, id, value, ttlMs);
  };
  assert.equal(await register(scene, peer, { contacts: [`<${old}>;q=0.9`, `<${fresh}>`, `<${refused}>`] }), 500);
  const found = await scene.agent.bindings(AOR);
  assert.deepEqual(
    found.map(({ contact, q }) => [contact, q]),
    [[old, 0.2]],
  );
});

test('too brief an interval is refused with Min-Expires, and nothing is stored', async (t) => {
  const { scene, peer } = await openScene(t);
  const contacts = ['<sip:a@10.0.0.2>', '<sip:b@10.0.0.2>;expires=10'];
  assert.equal(await register(scene, peer, { contacts }), 423);
  const refused = peer.responses('REGISTER').at(-1);
  assert.equal(refused && header(refused, 'Min-Expires'), '60');
  assert.deepEqual(await contactsOf(scene), []);
});

test('an old CSeq of the same Call-ID changes nothing', async (t) => {
  const { scene, peer } = await openScene(t);
  await register(scene, peer, { callId: 'same', cseq: 10 });
  assert.equal(
    await register(scene, peer, { callId: 'same', cseq: 3, headers: [{ name: 'Expires', value: '0' }] }),
    500,
  );
  assert.equal((await contactsOf(scene)).length, 1);
});

test('a phone that comes back at another address with the same instance replaces itself', async (t) => {
  const { scene, peer } = await openScene(t);
  const instance = ';+sip.instance="<urn:uuid:1>"';
  await register(scene, peer, { contacts: [`<sip:1001@10.0.0.2:5060>${instance}`] });
  await register(scene, peer, { contacts: [`<sip:1001@10.0.0.2:6000>${instance}`] });
  assert.deepEqual(await contactsOf(scene), ['sip:1001@10.0.0.2:6000']);
});

test('a phone with several flows keeps each', async (t) => {
  const { scene, peer } = await openScene(t);
  const flow = (id: number) => `<sip:1001@10.0.0.2:${5060 + id}>;+sip.instance="<urn:uuid:1>";reg-id=${id}`;
  await register(scene, peer, { contacts: [flow(1)] });
  await register(scene, peer, { contacts: [flow(2)] });
  assert.equal((await contactsOf(scene)).length, 2);
});

test('the Path of a registration is the route of its calls', async (t) => {
  const { scene, peer } = await openScene(t);
  await register(scene, peer, { headers: [{ name: 'Path', value: '<sip:edge@10.0.0.2;lr>' }] });
  const [found] = await scene.agent.bindings(AOR);
  assert.deepEqual(found?.target.route, ['<sip:edge@10.0.0.2;lr>']);
});

test("another user's address is forbidden", async (t) => {
  const { scene, peer } = await openScene(t);
  assert.equal(await register(scene, peer, { to: '<sip:1002@10.0.0.1>' }), 403);
});

test('the eleventh binding takes the place of the one that expires first', async (t) => {
  const { scene, peer } = await openScene(t);
  for (let index = 0; index < 11; index += 1) {
    await register(scene, peer, { contacts: [`<sip:p${index}@10.0.0.2>;expires=${300 + index}`] });
  }
  const contacts = await contactsOf(scene);
  assert.equal(contacts.length, 10);
  assert.ok(!contacts.includes('sip:p0@10.0.0.2'));
});

test('a repeated nonce count is stale, a retransmission is not', async (t) => {
  const { scene, peer } = await openScene(t);
  await register(scene, peer);
  const used = peer.sent.at(-1);
  assert.ok(used);
  peer.send(used);
  await scene.advance(10);
  assert.equal(peer.statuses('REGISTER').at(-1), 200, 'the transaction answers its repeat');
  const authorization = { name: 'Authorization', value: header(used, 'Authorization') ?? '' };
  peer.askWith('REGISTER', [], {
    callId: 'replay',
    to: ADDRESS,
    from: `${ADDRESS};tag=x`,
    uri: 'sip:10.0.0.1',
    headers: [authorization],
  });
  await scene.advance(10);
  const replayed = peer.responses('REGISTER').at(-1);
  assert.equal(replayed?.status, 401);
  assert.match(header(replayed, 'WWW-Authenticate') ?? '', /stale=true/);
});

test('a nonce of before a restart is stale, not wrong', async (t) => {
  const { scene, peer } = await openScene(t);
  const challenge = { realm: 'home.test', nonce: 'old', algorithm: 'MD5', qopAuth: true, stale: false } as const;
  const user = { username: '1001', password: 'secret', method: 'REGISTER', uri: 'sip:10.0.0.1' };
  const answer = answerChallenge(nodeDigestHash, { challenge, ...user, clientNonce: 'c', nonceCount: 9 });
  const headers = [{ name: 'Authorization', value: formatAuthorization(answer) }];
  peer.askWith('REGISTER', [], { to: ADDRESS, from: `${ADDRESS};tag=x`, uri: 'sip:10.0.0.1', headers });
  await scene.advance(10);
  const refused = peer.responses('REGISTER').at(-1);
  assert.match((refused && header(refused, 'WWW-Authenticate')) ?? '', /stale=true/);
});

test('a phone that stumbles over the choice of algorithms is offered MD5 alone', async (t) => {
  const { scene, peer } = await openScene(t);
  const algorithms = (): number => {
    const response = peer.responses('REGISTER').at(-1);
    return response === undefined ? 0 : headers(response, 'WWW-Authenticate').length;
  };
  const ask = async (callId: string, extra: readonly SipHeader[] = []): Promise<number> => {
    peer.askWith('REGISTER', [], {
      callId,
      to: ADDRESS,
      from: `${ADDRESS};tag=x`,
      uri: 'sip:10.0.0.1',
      headers: extra,
    });
    await scene.advance(10);
    return algorithms();
  };
  assert.equal(await ask('silent'), 1);
  assert.equal(await ask('known', [{ name: 'User-Agent', value: 'baresip v1.0.0 (x86_64/linux)' }]), 1);
  assert.equal(await ask('first', [USER_AGENT]), 2);
  assert.equal(await ask('again', [USER_AGENT]), 1);
});
