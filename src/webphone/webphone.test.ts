import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Page, Scene, SDP } from './scene.fixture.ts';
import type { PlacedWebphoneHandlers, WebphoneCall, WebphoneCallEvent, WebphoneFailure } from './webphone.ts';

const webrtc = { kind: 'webrtc', sdp: SDP } as const;

/** Rings every device of a client and keeps what came of it. */
class Ring {
  readonly failures: WebphoneFailure[] = [];
  readonly calls: WebphoneCall[] = [];
  ringing = 0;
  cancel: () => void = () => undefined;

  static async of(scene: Scene, identity: string, ringTimeoutMs = 30_000): Promise<readonly Ring[]> {
    const targets = await scene.agent.registered('AC1', identity);
    const rings = targets.map((target) => {
      const ring = new Ring();
      const placed = scene.agent.placeCall(
        {
          target,
          callSid: 'CA9',
          parameters: { CallSid: 'CA9', From: 'client:mike' },
          offer: async () => webrtc,
          ringTimeoutMs,
        },
        ring.#handlers,
      );
      ring.cancel = () => placed.cancel();
      return ring;
    });
    await scene.clock.advance(0);
    return rings;
  }

  readonly #handlers: PlacedWebphoneHandlers = {
    ringing: () => void this.ringing++,
    answered: (call) => void this.calls.push(call),
    failed: (failure) => void this.failures.push(failure),
  };
}

function eventsOf(call: WebphoneCall): WebphoneCallEvent[] {
  const events: WebphoneCallEvent[] = [];
  call.onEvent((event) => events.push(event));
  return events;
}

/** A call that a page made and that was answered, with what its party is told from then on. */
async function answeredByWebRtc() {
  const scene = new Scene();
  const page = await scene.registered('mike');
  const { call, sid } = await scene.called(page);
  call.name(sid);
  return { scene, page, sid, events: eventsOf(call.answer(webrtc)) };
}

suite('registration of browsers', () => {
  test('listen, then register: connected, then ready; the client has a device', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    assert.deepEqual(page.types, ['connected', 'ready']);
    assert.equal(page.last('connected')?.identity, 'jenny');
    assert.equal(page.last('connected')?.ttlSeconds, 3600);
    assert.equal((await scene.agent.registered('AC1', 'jenny')).length, 1);
    assert.equal((await scene.agent.registered('AC2', 'jenny')).length, 0);
  });

  test('unregister answers offline and takes the device away', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    page.say({ type: 'register', audio: false, frames: false });
    await scene.clock.advance(0);
    assert.equal(page.types.at(-1), 'offline');
    assert.deepEqual(await scene.agent.registered('AC1', 'jenny'), []);
  });

  test('a forged token is told by its number and nothing is done for it', async () => {
    const scene = new Scene();
    const page = scene.open();
    page.listen('forged');
    page.say({ type: 'register', audio: true, frames: false });
    await scene.clock.advance(0);
    assert.deepEqual(page.types, ['error']);
    assert.equal(page.last('error')?.error.code, 31202);
    page.say({ type: 'register', audio: true, frames: false });
    assert.equal(page.last('error')?.error.code, 31204);
    await scene.clock.advance(11_000);
    assert.equal(page.closedWith, 1008);
  });

  test('a token that does not allow to be called registers nobody', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny!');
    assert.equal(page.last('error')?.error.code, 31201);
    assert.deepEqual(await scene.agent.registered('AC1', 'jenny'), []);
  });

  test('a token that expires takes the registration away, a new one brings it back', async () => {
    const scene = new Scene();
    scene.tokenLifeMs = 60_000;
    const page = await scene.registered('jenny');
    await scene.clock.advance(60_001);
    assert.equal(page.last('error')?.error.code, 31205);
    assert.deepEqual(await scene.agent.registered('AC1', 'jenny'), []);
    page.listen('jenny');
    page.say({ type: 'register', audio: true, frames: false });
    await scene.clock.advance(0);
    assert.equal(page.types.at(-1), 'ready');
    assert.equal((await scene.agent.registered('AC1', 'jenny')).length, 1);
  });

  test('a new token of another client is refused on the same socket', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    page.listen('mallory');
    await scene.clock.advance(0);
    assert.equal(page.last('error')?.error.code, 31201);
    assert.equal((await scene.agent.registered('AC1', 'jenny')).length, 1);
  });

  test('a registration lasts while its socket lives and no longer', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    await scene.clock.advance(600_000);
    assert.equal((await scene.agent.registered('AC1', 'jenny')).length, 1);
    page.awake = false;
    await scene.clock.advance(30_000);
    assert.equal(page.closedWith, 1001);
    assert.deepEqual(await scene.agent.registered('AC1', 'jenny'), []);
  });

  test('what was asked for last holds, and is answered last', async () => {
    const scene = new Scene();
    const page = scene.open();
    page.listen('jenny');
    page.say({ type: 'register', audio: true, frames: false });
    page.say({ type: 'register', audio: false, frames: false });
    await scene.clock.advance(0);
    assert.deepEqual(page.types, ['connected', 'ready', 'offline']);
    assert.deepEqual(await scene.agent.registered('AC1', 'jenny'), []);
  });

  test('a socket that closes while it is being registered leaves nothing', async () => {
    const scene = new Scene();
    const page = scene.open();
    const put = scene.directory.put.bind(scene.directory);
    scene.directory.put = async (...entry) => {
      page.events.closed();
      await put(...entry);
    };
    page.listen('jenny');
    page.say({ type: 'register', audio: true, frames: false });
    await scene.clock.advance(0);
    assert.deepEqual(await scene.agent.registered('AC1', 'jenny'), []);
  });

  test('a client has a bounded number of devices', async () => {
    const scene = new Scene({ maxDevicesPerIdentity: 2 });
    const pages = [await scene.registered('jenny'), await scene.registered('jenny'), await scene.registered('jenny')];
    assert.deepEqual(
      pages.map((page) => page.types.at(-1)),
      ['ready', 'ready', 'error'],
    );
  });

  test('a flood of messages ends the socket, as does one that never says who it is', async () => {
    const scene = new Scene({ maxDevices: 3 });
    const flooding = await scene.registered('jenny');
    for (let count = 0; count < 200; count++) flooding.events.text('{"type":"dance"}');
    assert.equal(flooding.closedWith, 1008);
    const silent = scene.open();
    await scene.clock.advance(11_000);
    assert.equal(silent.closedWith, 1008);
    const pages = Array.from({ length: 4 }, () => scene.open());
    assert.deepEqual(
      pages.map((page) => page.closedWith),
      [undefined, undefined, undefined, 1013],
    );
  });

  test('a browser that does not read is let go', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    page.buffered = 2_000_000;
    await scene.clock.advance(6000);
    assert.equal(page.closedWith, 1013);
  });
});

suite('calls of browsers', () => {
  test('carry the parameters of the page, those of the token win', async () => {
    const scene = new Scene();
    const { call } = await scene.called(await scene.registered('mike'));
    assert.deepEqual(call.parameters, { To: 'bob', team: 'red' });
    assert.equal(call.grant.identity, 'mike');
  });

  test('ring, are answered, and end by the page', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    const { call, sid } = await scene.called(page);
    call.name(sid);
    call.ringing();
    const events = eventsOf(call.answer(webrtc));
    assert.deepEqual(page.types.slice(2), ['ringing', 'answer']);
    assert.equal(page.last('answer')?.callsid, sid);
    page.say({ type: 'dtmf', callsid: sid, digits: '1#' });
    page.say({ type: 'hangup', callsid: sid });
    assert.deepEqual(events, [
      { kind: 'digits', digits: '1#' },
      { kind: 'ended', by: 'remote' },
    ]);
    assert.equal(scene.agent.counts().calls, 0);
  });

  test('are known by the name of the page too, until they have a sid of the service', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    const { call } = await scene.called(page);
    let cancelled = 0;
    call.onCancelled(() => void cancelled++);
    page.say({ type: 'hangup', callsid: 'TJS0' });
    assert.equal(cancelled, 1);
    assert.equal(scene.agent.counts().calls, 0);
  });

  test('are refused with a reason that the page hears', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    const { call } = await scene.called(page);
    call.reject({ code: 31486, message: 'Busy Here' });
    assert.deepEqual(page.last('hangup')?.error, { code: 31486, message: 'Busy Here' });
  });

  test('are not taken while the server stops', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    scene.agent.drain();
    page.say({ type: 'invite', callsid: 'TJS0', sound: webrtc, parameters: '', reconnect: undefined, direct: false });
    assert.equal(page.last('hangup')?.error?.code, 31480);
    assert.equal(scene.incoming.length, 0);
  });

  test('a socket carries a bounded number of calls', async () => {
    const scene = new Scene({ maxCallsPerDevice: 1 });
    const page = await scene.registered('mike');
    await scene.called(page);
    page.say({ type: 'invite', callsid: 'TJS7', sound: webrtc, parameters: '', reconnect: undefined, direct: false });
    assert.equal(page.last('hangup')?.callsid, 'TJS7');
    assert.equal(page.last('hangup')?.error?.code, 31206);
  });

  test('go on over a new socket, by the token of the call', async () => {
    const { scene, page, sid, events } = await answeredByWebRtc();
    const token = page.last('answer')?.reconnect;
    page.events.closed();
    await scene.clock.advance(20_000);
    const next = await scene.registered('mike');
    next.say({ type: 'invite', callsid: sid, sound: webrtc, parameters: '', reconnect: token, direct: false });
    assert.equal(next.last('answer')?.sound, undefined);
    assert.notEqual(next.last('answer')?.reconnect, token);
    await scene.clock.advance(60_000);
    assert.deepEqual(events, []);
    next.say({ type: 'hangup', callsid: sid });
    assert.deepEqual(events, [{ kind: 'ended', by: 'remote' }]);
  });

  test('end when their socket does not come back in time', async () => {
    const { scene, page, events } = await answeredByWebRtc();
    page.events.closed();
    await scene.clock.advance(29_000);
    assert.deepEqual(events, []);
    await scene.clock.advance(2000);
    assert.deepEqual(events, [{ kind: 'ended', by: 'lost' }]);
  });

  test('are not taken over by another client, nor by a wrong token', async () => {
    const { scene, page, sid, events } = await answeredByWebRtc();
    const reconnect = page.last('answer')?.reconnect;
    const mallory = await scene.registered('mallory');
    mallory.say({ type: 'invite', callsid: sid, sound: webrtc, parameters: '', reconnect, direct: false });
    mallory.say({ type: 'hangup', callsid: sid });
    assert.equal(mallory.last('hangup')?.error?.code, 31404);
    const own = await scene.registered('mike');
    own.say({ type: 'invite', callsid: sid, sound: webrtc, parameters: '', reconnect: 'guessed', direct: false });
    assert.equal(own.last('hangup')?.error?.code, 31209);
    assert.deepEqual(events, []);
  });

  test('another peer connection that comes with the token is an offer to answer', async () => {
    const { scene, page, sid, events } = await answeredByWebRtc();
    const reconnect = page.last('answer')?.reconnect;
    const next = await scene.registered('mike');
    const sdp = SDP.replace('AA', 'BB');
    next.say({
      type: 'invite',
      callsid: sid,
      sound: { kind: 'webrtc', sdp },
      parameters: '',
      reconnect,
      direct: false,
    });
    const [offer] = events;
    assert.ok(offer?.kind === 'offer');
    assert.deepEqual(offer.sound, { kind: 'webrtc', sdp });
    offer.answer({ kind: 'webrtc', sdp: 'v=0' });
    assert.deepEqual(next.last('answer')?.sound, { kind: 'webrtc', sdp: 'v=0' });
  });

  test('an ICE restart is answered, or refused without an end', async () => {
    const { page, sid, events } = await answeredByWebRtc();
    page.say({ type: 'reinvite', callsid: sid, sound: webrtc });
    const [offer] = events;
    assert.ok(offer?.kind === 'offer');
    offer.refuse();
    assert.equal(page.last('error')?.error.code, 53402);
    page.say({ type: 'hangup', callsid: sid });
    assert.equal(events.at(-1)?.kind, 'ended');
  });

  test('a call that WebRTC does not carry goes over to frames, also by a next socket, and stays there', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    const { call, sid } = await scene.called(page);
    call.name(sid);
    const answered = call.answer(webrtc);
    const events = eventsOf(answered);
    const reconnect = page.last('answer')?.reconnect;
    const next = await scene.registered('mike');
    const invite = { type: 'invite', callsid: sid, parameters: '', direct: false } as const;
    next.say({ ...invite, sound: { kind: 'frames' }, reconnect });
    const [offer] = events;
    assert.ok(offer?.kind === 'offer');
    assert.deepEqual(offer.sound, { kind: 'frames' });
    offer.answer({ kind: 'frames' });
    assert.deepEqual(next.last('answer')?.sound, { kind: 'frames' });
    const last = await scene.registered('mike');
    last.say({ ...invite, sound: { kind: 'frames' }, reconnect: next.last('answer')?.reconnect });
    assert.deepEqual(last.last('answer')?.sound, { kind: 'frames' });
    assert.equal(events.length, 1);
  });

  test('a page that did not hear the answer to its frames is told it on its next socket', async () => {
    const { scene, page, sid, events } = await answeredByWebRtc();
    const reconnect = page.last('answer')?.reconnect;
    page.say({ type: 'reinvite', callsid: sid, sound: { kind: 'frames' } });
    const [offer] = events;
    assert.ok(offer?.kind === 'offer');
    offer.answer({ kind: 'frames' });
    const invite = { type: 'invite', callsid: sid, parameters: '', direct: false, sound: { kind: 'frames' } } as const;
    const next = await scene.registered('mike');
    next.say({ ...invite, reconnect });
    assert.deepEqual(next.last('answer')?.sound, { kind: 'frames' });
    const last = await scene.registered('mike');
    last.say({ ...invite, reconnect });
    assert.deepEqual(last.last('answer')?.sound, { kind: 'frames' }, 'nor what it was told on that');
    assert.equal(events.length, 1);
  });

  test('a secret of a call is worth nothing once a socket came with a later one', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    const { call, sid } = await scene.called(page);
    call.name(sid);
    call.answer(webrtc);
    const invite = { type: 'invite', callsid: sid, parameters: '', direct: false, sound: webrtc } as const;
    const first = page.last('answer')?.reconnect;
    let carrier = page;
    for (let moves = 0; moves < 2; moves += 1) {
      const reconnect = carrier.last('answer')?.reconnect;
      carrier = await scene.registered('mike');
      carrier.say({ ...invite, reconnect });
    }
    const late = await scene.registered('mike');
    late.say({ ...invite, reconnect: first });
    assert.equal(late.last('hangup')?.error?.code, 31209);
  });

  test('a page that goes over to frames has no way straight to another browser any more', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    const { call, sid } = await scene.called(page, { direct: true });
    call.name(sid);
    const answered = call.answer(webrtc);
    const events = eventsOf(answered);
    assert.ok(answered.direct);
    page.say({ type: 'reinvite', callsid: sid, sound: { kind: 'frames' } });
    const [offer] = events;
    assert.ok(offer?.kind === 'offer');
    offer.answer({ kind: 'frames' });
    assert.ok(!answered.direct);
  });

  test('messages are acknowledged by who wants them, refused by who does not', async () => {
    const scene = new Scene();
    const page = await scene.registered('mike');
    const { call, sid } = await scene.called(page);
    call.name(sid);
    const up = call.answer(webrtc);
    const events = eventsOf(up);
    const message = { content: '{}', contentType: 'application/json', messageType: 'x', eventSid: 'KX1' };
    page.say({ type: 'message', callsid: sid, ...message });
    page.say({ type: 'message', callsid: sid, ...message, eventSid: 'KX2' });
    const [first, second] = events;
    assert.ok(first?.kind === 'message' && second?.kind === 'message');
    first.acknowledge();
    second.refuse({ code: 31210, message: 'no' });
    assert.equal(page.last('ack')?.eventSid, 'KX1');
    assert.equal(page.last('error')?.eventSid, 'KX2');
    assert.equal(up.sendMessage(message), true);
    assert.equal(page.last('message')?.content, '{}');
    page.say({ type: 'message', callsid: 'CA404', ...message });
    assert.equal(page.last('error')?.error.code, 31404);
  });
});

suite('calls to browsers', () => {
  test('ring every device; the first answer ends it for the others', async () => {
    const scene = new Scene();
    const [one, two] = [await scene.registered('jenny'), await scene.registered('jenny')];
    const rings = await Ring.of(scene, 'jenny');
    assert.deepEqual(
      [one, two].map((page) => page.last('invite')?.parameters['From']),
      ['client:mike', 'client:mike'],
    );
    two.say({ type: 'answer', callsid: 'CA9', sound: webrtc, direct: false });
    assert.equal(rings[1]?.calls.length, 1);
    rings[0]?.cancel();
    assert.equal(one.last('cancel')?.callsid, 'CA9');
    assert.equal(rings[0]?.failures[0]?.cause, 'cancelled');
    assert.equal(two.last('cancel'), undefined);
  });

  const refusals: readonly (readonly [string, (page: Page, scene: Scene) => void | Promise<void>, string])[] = [
    ['rejects', (page) => page.say({ type: 'reject', callsid: 'CA9' }), 'rejected 603'],
    ['says nothing', (_page, scene) => scene.clock.advance(31_000), 'no-answer 408'],
    ['is gone', (page) => page.events.closed(), 'unreachable 480'],
  ];
  for (const [what, act, expected] of refusals) {
    test(`a page that ${what} is told as ${expected}`, async () => {
      const scene = new Scene();
      const page = await scene.registered('jenny');
      const [ring] = await Ring.of(scene, 'jenny');
      await act(page, scene);
      assert.deepEqual(
        ring?.failures.map(({ cause, status }) => `${cause} ${status}`),
        [expected],
      );
      assert.equal(scene.agent.counts().calls, 0);
    });
  }

  test('a page that talks is busy', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    const { call, sid } = await scene.called(page);
    call.name(sid);
    call.answer(webrtc);
    const [ring] = await Ring.of(scene, 'jenny');
    assert.equal(ring?.failures[0]?.status, 486);
    assert.equal(page.last('invite'), undefined);
  });

  test('an offer that cannot be made is told, and the page hears nothing', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    const [target] = await scene.agent.registered('AC1', 'jenny');
    assert.ok(target !== undefined);
    const failures: WebphoneFailure[] = [];
    scene.agent.placeCall(
      {
        target,
        callSid: 'CA9',
        parameters: {},
        offer: () => Promise.reject(new Error('no ports')),
        ringTimeoutMs: 1000,
      },
      { ringing: () => assert.fail(), answered: () => assert.fail(), failed: (failure) => void failures.push(failure) },
    );
    await scene.clock.advance(0);
    assert.deepEqual(failures, [{ cause: 'unreachable', status: 503, reason: 'no ports' }]);
    assert.deepEqual(page.types, ['connected', 'ready']);
  });

  test('nothing is left when the agent closes', async () => {
    const scene = new Scene();
    const page = await scene.registered('jenny');
    await Ring.of(scene, 'jenny');
    scene.agent.close();
    assert.equal(page.closedWith, 1001);
    scene.directory.close();
    await scene.clock.advance(0);
    assert.equal(scene.clock.pending, 0);
  });
});

suite('whoever looks on', () => {
  const told = (scene: Scene): readonly string[] =>
    scene.sights.map((sight) =>
      sight.kind === 'named'
        ? `${sight.pageName} is ${sight.callSid}`
        : `${sight.direction} ${sight.message.type} ${sight.identity ?? '?'} ${sight.callSid ?? '-'}`,
    );

  test('is told each message with its browser and its call, once', async () => {
    const scene = new Scene();
    const mike = await scene.registered('mike');
    const { call } = await scene.called(mike);
    call.name('CA1');
    call.ringing();
    call.answer(webrtc);
    mike.say({ type: 'hangup', callsid: 'CA1' });
    assert.deepEqual(told(scene), [
      'in listen ? -',
      'out connected mike -',
      'in register mike -',
      'out ready mike -',
      'in invite mike TJS0',
      'TJS0 is CA1',
      'out ringing mike CA1',
      'out answer mike CA1',
      'in hangup mike CA1',
    ]);
  });

  test("is told nothing of a call that is not that browser's, whatever it names", async () => {
    const scene = new Scene();
    const mike = await scene.registered('mike');
    const { call } = await scene.called(mike);
    call.name('CA1');
    call.answer(webrtc);
    const eve = await scene.registered('eve');
    scene.sights.length = 0;
    eve.say({ type: 'hangup', callsid: 'CA1' });
    eve.say({ type: 'invite', callsid: 'CA1', sound: webrtc, parameters: '', reconnect: 'guess', direct: false });
    assert.deepEqual(told(scene), []);
  });
});
