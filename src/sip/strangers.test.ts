import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SILENCE } from '../base/hold-back.ts';
import { silentLogger } from '../base/logger.ts';
import { answerChallenge, chooseChallenge, formatAuthorization } from '../wire/sip/digest.ts';
import { header, headers, type SipHeader } from '../wire/sip/message.ts';
import { nodeDigestHash } from './auth/node-digest-hash.ts';
import { openAdmission } from './test/open-agent.ts';
import { Scene, type ScriptedPeer } from './test/scene.ts';

const GUESSES = { burst: 20, forgivenPerSecond: 0.02, ...SILENCE };
/** For tests of passwords alone. */
const MANY = 10_000;
/** At an address that no trunk has. */
const HOST = '10.0.9.2';
const FIRST_SILENCE_MS = 30_000;

interface Registration {
  readonly user?: string;
  readonly password?: string;
  readonly nonce?: string;
}

let calls = 0;

/** The status of the last answer, and 0 for silence. */
async function register(scene: Scene, peer: ScriptedPeer, options: Registration = {}): Promise<number> {
  const { user = '1001', password = 'secret' } = options;
  calls += 1;
  const address = `<sip:${user}@10.0.0.1>`;
  const ask = async (cseq: number, extra: readonly SipHeader[]): Promise<number> => {
    const before = peer.responses('REGISTER').length;
    const contacts = [{ name: 'Contact', value: `<sip:${user}@${HOST}>` }];
    peer.askWith('REGISTER', contacts, {
      ...{ callId: `r${calls}`, cseq, to: address, from: `${address};tag=x`, uri: 'sip:10.0.0.1' },
      headers: [{ name: 'User-Agent', value: 'Test' }, ...extra],
    });
    await scene.advance(10);
    return peer.responses('REGISTER').length === before ? 0 : (peer.responses('REGISTER').at(-1)?.status ?? 0);
  };
  const first = await ask(1, []);
  if (first !== 401) return first;
  return ask(2, [authorization(peer, user, password, options.nonce)]);
}

function authorization(peer: ScriptedPeer, username: string, password: string, nonce?: string): SipHeader {
  const challenged = peer.responses('REGISTER').at(-1);
  const challenge = challenged && chooseChallenge(headers(challenged, 'WWW-Authenticate'));
  assert.ok(challenge);
  const value = formatAuthorization(
    answerChallenge(nodeDigestHash, {
      challenge: { ...challenge, nonce: nonce ?? challenge.nonce },
      ...{ username, password, method: 'REGISTER', uri: 'sip:10.0.0.1', clientNonce: 'c', nonceCount: 1 },
    }),
  );
  return { name: 'Authorization', value };
}

async function openScene(
  t: { after(fn: () => Promise<void>): void },
  strangersBurst = 30,
): Promise<{
  readonly scene: Scene;
  readonly refused: string[];
  stranger(port?: number): Promise<ScriptedPeer>;
}> {
  const scene = new Scene(t);
  const refused: string[] = [];
  await scene.open({
    limits: { guesses: GUESSES, strangers: { burst: strangersBurst, forgivenPerSecond: 1, ...SILENCE } },
    onRefused: (limit) => void refused.push(limit),
  });
  scene.agent.onIncomingCall((call) => call.reject(486));
  return { scene, refused, stranger: (port = 5060) => scene.peer(HOST, port) };
}

async function flood(scene: Scene, peer: ScriptedPeer, method: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    peer.ask(method, { callId: `${method}-${calls}-${index}`, cseq: 1 });
  }
  await scene.advance(10);
}

suite('strangers at the SIP door', () => {
  test('an address that sends wrong passwords is not answered for a while, each time for longer', async (t) => {
    const { scene, refused, stranger } = await openScene(t, MANY);
    const peer = await stranger();
    const statuses: number[] = [];
    for (let index = 0; index < 22; index += 1) {
      statuses.push(await register(scene, peer, { password: `wrong${index}` }));
    }
    assert.deepEqual(statuses, [...Array<number>(20).fill(401), 0, 0]);
    assert.deepEqual(refused, ['wrong-passwords', 'wrong-passwords']);
    assert.equal(await register(scene, peer), 0, 'even with the right one');
    assert.deepEqual(
      scene.agent.heldBack().map(({ door, source, times, dropped }) => [door, source, times, dropped]),
      [['SIP passwords', HOST, 1, 3]],
    );
    await scene.advance(FIRST_SILENCE_MS);
    assert.equal(await register(scene, peer), 200, 'it ends by itself');
    while ((await register(scene, peer, { user: 'other', password: 'wrong' })) !== 0);
    const [held] = scene.agent.heldBack();
    assert.ok((held?.until ?? 0) - scene.clock.now() > FIRST_SILENCE_MS);
  });

  test('a phone that is known behind the same address is never kept out, by guesses in its own name either', async (t) => {
    const { scene, stranger } = await openScene(t, MANY);
    const phone = await stranger(5070);
    const guesser = await stranger(5060);
    assert.equal(await register(scene, phone, { user: '1002' }), 200);
    for (let index = 0; index < 40; index += 1) {
      await register(scene, guesser, { password: `wrong${index}` });
      await register(scene, guesser, { user: '1002', password: `wrong${index}` });
    }
    assert.equal(await register(scene, guesser), 0);
    assert.equal(await register(scene, phone, { user: '1002' }), 200);
  });

  test('a phone of this place that shows a wrong password is told in the log, a guessed name is not', async (t) => {
    const scene = new Scene(t);
    const lines: unknown[] = [];
    const admission = openAdmission((username) => (username === '1001' ? 'secret' : undefined));
    await scene.open({ admission, logger: { ...silentLogger, warn: (...line) => void lines.push(line) } });
    const peer = await scene.peer(HOST);
    for (const user of ['1001', 'admin']) assert.equal(await register(scene, peer, { user, password: 'wrong' }), 401);
    assert.deepEqual(lines, [[{ user: '1001', address: HOST }, 'wrong SIP password']]);
  });

  test('whoever forges the address of a phone cannot keep it out by wrong passwords', async (t) => {
    const { scene, stranger } = await openScene(t);
    // The forger sends with the phone's address and never sees what is sent there: it has nonces of its own address only.
    const forger = await scene.peer('10.0.9.66');
    await register(scene, forger, { user: 'x', password: 'y' });
    const foreign = /nonce="([^"]+)"/.exec(
      header(forger.responses('REGISTER')[0] ?? assert.fail(), 'WWW-Authenticate') ?? '',
    )?.[1];
    const forged = await stranger(5060);
    for (let index = 0; index < 14; index += 1) {
      assert.equal(await register(scene, forged, { password: `wrong${index}`, nonce: foreign ?? '' }), 401);
      assert.match(
        header(forged.responses('REGISTER').at(-1) ?? assert.fail(), 'WWW-Authenticate') ?? '',
        /stale=true/,
      );
    }
    assert.deepEqual(scene.agent.heldBack(), []);
    assert.equal(await register(scene, await stranger(5070)), 200);
  });

  test('a password is not judged with a nonce of another address: no answer tells whether it was right', async (t) => {
    const { scene, stranger } = await openScene(t);
    const peer = await stranger();
    const answers: string[] = [];
    for (const [user, password] of [
      ['1001', 'secret'],
      ['1002', 'wrong'],
    ]) {
      await register(scene, peer, { user: user ?? '', password: password ?? '', nonce: 'f'.repeat(60) });
      const challenge = header(peer.responses('REGISTER').at(-1) ?? assert.fail(), 'WWW-Authenticate') ?? '';
      answers.push(challenge.replace(/nonce="[^"]+"/, ''));
    }
    assert.equal(answers[0], answers[1]);
  });

  for (const method of ['OPTIONS', 'REGISTER', 'INVITE', 'SUBSCRIBE', 'BYE']) {
    test(`a flood of ${method} gets silence, and the phones of that address and others go on`, async (t) => {
      const { scene, stranger } = await openScene(t);
      const phone = await stranger(5070);
      assert.equal(await register(scene, phone), 200);
      const scanner = await stranger(5060);
      await flood(scene, scanner, method, 100);
      const answered = scanner.responses(method).length;
      assert.ok(answered >= 28 && answered <= 32, `${answered} of 100 were answered`);
      assert.deepEqual(
        scene.agent.heldBack().map(({ door, source }) => [door, source]),
        [['SIP', `udp ${HOST}`]],
      );
      assert.equal(await register(scene, phone), 200);
      const elsewhere = await scene.peer('10.0.9.3');
      assert.equal(await register(scene, elsewhere, { user: '1003' }), 200);
      await scene.advance(FIRST_SILENCE_MS);
      await flood(scene, scanner, method, 1);
      assert.equal(scanner.responses(method).length, answered + 1, 'it ends by itself');
    });
  }

  test('a trunk is not kept out by what else comes from its address', async (t) => {
    const { scene } = await openScene(t);
    const trunk = await scene.peer('10.0.0.2');
    await flood(scene, trunk, 'OPTIONS', 100);
    await flood(scene, trunk, 'OPTIONS', 5);
    assert.deepEqual(scene.agent.heldBack(), []);
    assert.ok(trunk.responses('OPTIONS').length > 30);
  });

  test('broken requests count too', async (t) => {
    const { scene, stranger } = await openScene(t);
    const peer = await stranger();
    for (let index = 0; index < 100; index += 1) {
      peer.ask('OPTIONS', { callId: `b${index}`, headers: [{ name: 'CSeq', value: '7 INVITE' }] });
    }
    await scene.advance(10);
    assert.equal(peer.heard.length, 30);
  });

  test('while the store does not answer, requests that wait for it are bounded, and all go on after it', async (t) => {
    const scene = new Scene(t);
    const store = Promise.withResolvers<undefined>();
    const refused: string[] = [];
    await scene.open({
      admission: { ...openAdmission(), trustedPeer: () => store.promise },
      limits: { maxLookups: 10 },
      onRefused: (limit) => void refused.push(limit),
    });
    scene.agent.onIncomingCall((call) => call.reject(486));
    const peer = await scene.peer(HOST);
    await flood(scene, peer, 'INVITE', 15);
    assert.deepEqual(peer.statuses('INVITE'), Array<number>(5).fill(503));
    assert.deepEqual(refused, Array<string>(5).fill('sip-transactions'));
    store.resolve(undefined);
    await scene.advance(10);
    assert.equal(peer.statuses('INVITE').filter((status) => status === 407).length, 10);
    peer.ask('OPTIONS', { callId: 'after' });
    await scene.advance(10);
    assert.deepEqual(peer.statuses('OPTIONS'), [200]);
  });

  test('programs that only attack are not answered at all', async (t) => {
    const { scene, refused, stranger } = await openScene(t);
    const peer = await stranger();
    for (const name of ['friendly-scanner', 'sipvicious', 'sundayddr']) {
      peer.ask('OPTIONS', { callId: name, headers: [{ name: 'User-Agent', value: name }] });
    }
    await scene.advance(10);
    assert.deepEqual(peer.heard, []);
    assert.deepEqual(refused, ['strangers', 'strangers', 'strangers']);
    peer.ask('OPTIONS', { callId: 'plain' });
    await scene.advance(10);
    assert.deepEqual(peer.statuses('OPTIONS'), [200]);
  });

  test('many phones that register one after the other are no flood', async (t) => {
    const { scene, stranger } = await openScene(t);
    const peer = await stranger();
    for (let index = 0; index < 200; index += 1) {
      assert.equal(await register(scene, peer, { user: `p${index}` }), 200);
    }
  });
});
