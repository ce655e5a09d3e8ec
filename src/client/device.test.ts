import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ClientError } from './client-error.ts';
import { SOUND_TIMEOUT_MS, WEBRTC_BLOCKED_MS } from './limits.ts';
import { Place } from './place.fixture.ts';

suite('a Device', () => {
  test('shows its token first, and is registered when the server says so', async () => {
    const place = new Place();
    const registering = place.device.register();
    place.socket.connect();
    await place.settle();
    assert.deepEqual(place.socket.types, ['listen', 'register']);
    assert.equal(place.socket.last('listen')?.token, 'token');
    assert.equal(place.device.identity, 'mike');
    assert.equal(place.device.state, 'registering');
    place.socket.say({ type: 'ready' });
    await registering;
    assert.equal(place.device.state, 'registered');
    assert.deepEqual(place.news(), ['registering', 'registered']);
  });

  test('says that its sound comes as frames where there is no other way', async () => {
    const place = new Place();
    place.route = 'frames';
    await place.registered();
    assert.equal(place.socket.last('register')?.frames, true);
  });

  for (const [until, passes] of [
    ['ten minutes are over', (place) => place.beating(1)],
    ['a network comes', async (place) => place.wake('network')],
  ] satisfies [string, (place: Place) => Promise<void>][]) {
    test(`once no packet passed by WebRTC it is called by frames, and by WebRTC again when ${until}`, async () => {
      const place = new Place();
      await place.registered();
      (await place.unheard()).on('error', () => undefined);
      await place.beating(SOUND_TIMEOUT_MS);
      assert.equal(place.socket.last('register')?.frames, true);
      place.socket.say({ type: 'ready' });
      await place.beating(WEBRTC_BLOCKED_MS - 1);
      assert.equal(place.socket.last('register')?.frames, true, 'not before');
      place.news();
      await passes(place);
      await place.settle();
      assert.equal(place.socket.last('register')?.frames, false);
      place.socket.say({ type: 'ready' });
      assert.deepEqual([place.sockets.length, place.news()], [1, ['registering', 'registered']]);
    });
  }

  test('is unregistered when the server says so, and then lets the connection go', async () => {
    const place = new Place();
    await place.registered();
    const leaving = place.device.unregister();
    assert.equal(place.socket.last('register')?.audio, false);
    place.socket.say({ type: 'offline' });
    await leaving;
    assert.deepEqual(place.news(), ['unregistered']);
    assert.ok(place.socket.isClosed);
  });

  test('unregistered while it registers, it is so in the end', async () => {
    const place = new Place();
    const registering = place.device.register();
    place.socket.connect();
    await place.settle();
    await place.device.unregister();
    place.socket.say({ type: 'ready' });
    await registering;
    assert.equal(place.device.state, 'unregistered');
    assert.equal(place.socket.last('register')?.audio, false);
    place.socket.say({ type: 'offline' });
    assert.ok(place.socket.isClosed);
  });

  test('unregistered while it registers anew, nobody calls it during its call', async () => {
    const place = new Place();
    await place.registered();
    await place.calling();
    place.gatheringMs = 2_000;
    place.socket.drop();
    await place.clock.advance(150);
    place.socket.connect();
    const before = place.socket.types.length;
    await place.device.unregister();
    assert.deepEqual(place.socket.types.slice(before), ['register']);
    assert.equal(place.socket.last('register')?.audio, false);
  });

  test('a way for sound that was looked for before is not registered after the one that was found since', async () => {
    const place = new Place();
    await place.registered();
    await place.unheard();
    place.gatheringMs = 2_000;
    place.socket.drop();
    await place.clock.advance(150);
    place.socket.connect();
    place.sound.events.down();
    await place.settle();
    assert.equal(place.socket.last('register')?.frames, true);
    await place.clock.advance(3_000);
    assert.equal(place.socket.last('register')?.frames, true);
    assert.equal(place.socket.types.filter((type) => type === 'register').length, 1);
  });

  test('unregistered as its socket is lost, it is so at once, and opens no other', async () => {
    const place = new Place();
    await place.registered();
    const leaving = place.device.unregister();
    place.socket.drop();
    await leaving;
    await place.clock.advance(60_000);
    assert.equal(place.sockets.length, 1);
  });

  test('says what a call that ended without a connection still owes, and then lets the connection go', async () => {
    const place = new Place();
    const call = await place.calling();
    place.socket.drop();
    call.disconnect();
    await place.clock.advance(20_000);
    place.socket.connect();
    assert.deepEqual(place.socket.types, ['listen', 'hangup']);
    assert.equal(place.socket.last('hangup')?.callsid, 'CA1');
    assert.ok(place.socket.isClosed);
  });

  test('forgets what it owes after 30 s, when the server has ended the call by itself', async () => {
    const place = new Place();
    const call = await place.calling();
    place.socket.drop();
    call.disconnect();
    await place.clock.advance(30_000);
    const before = place.sockets.length;
    assert.ok(place.socket.isClosed);
    await place.clock.advance(60_000);
    assert.equal(place.sockets.length, before);
  });

  test('without a way for sound no call is made, and no connection stays for it', async () => {
    const place = new Place();
    place.noRoute = new ClientError(53405, 'sound has no way out of this browser');
    await assert.rejects(place.device.connect(), { code: 53405 });
    assert.ok(place.socket.isClosed);
    await place.clock.advance(60_000);
    assert.equal(place.sockets.length, 1);
  });

  test('without a way for sound a registration fails at once', async () => {
    const place = new Place();
    const call = await place.calling();
    place.noRoute = new ClientError(53405, 'sound has no way out of this browser');
    await assert.rejects(place.device.register(), { code: 53405 });
    assert.equal(place.device.state, 'unregistered');
    assert.equal(call.status(), 'open');
  });

  test('comes back after a lost socket, ever later, and registers again', async () => {
    const place = new Place();
    await place.registered();
    place.socket.drop();
    assert.deepEqual(place.news(), ['registering']);
    await place.clock.advance(150);
    assert.equal(place.sockets.length, 2);
    place.socket.drop();
    await place.clock.advance(140);
    assert.equal(place.sockets.length, 2, 'the second wait is longer');
    await place.clock.advance(150);
    assert.equal(place.sockets.length, 3);
    place.socket.connect();
    await place.settle();
    place.socket.say({ type: 'ready' });
    assert.deepEqual(place.news(), ['registered']);
  });

  test('a server that falls silent is left after 15 s; heartbeats are echoed and keep it', async () => {
    const place = new Place();
    await place.registered();
    await place.clock.advance(10_000);
    place.socket.say({ type: 'heartbeat' });
    assert.equal(place.socket.got.at(-1)?.type, 'heartbeat');
    await place.clock.advance(14_900);
    assert.ok(!place.socket.isClosed);
    await place.clock.advance(200);
    assert.ok(place.sockets[0]?.isClosed);
  });

  test('a tab that wakes tries at once, however long the wait had become', async () => {
    const place = new Place();
    await place.registered();
    for (let tries = 0; tries < 9; tries++) {
      place.socket.drop();
      await place.clock.advance(24_000);
    }
    place.socket.drop();
    const before = place.sockets.length;
    await place.clock.advance(10_000);
    assert.equal(place.sockets.length, before);
    place.wake();
    assert.equal(place.sockets.length, before + 1);
    place.socket.connect();
    await place.settle();
    assert.ok(place.socket.types.includes('register'));
  });

  test('a refused token is told with its number and what to do, and nothing is tried until there is another', async () => {
    const place = new Place();
    const registering = place.device.register();
    place.socket.open();
    place.socket.say({ type: 'error', error: { code: 31205, message: 'the token has expired' } });
    await assert.rejects(registering, { code: 20104, name: 'AccessTokenExpired', message: /updateToken/ });
    await place.clock.advance(60_000);
    assert.equal(place.sockets.length, 1);
    place.device.updateToken('another');
    place.socket.connect();
    await place.settle();
    assert.equal(place.socket.last('listen')?.token, 'another');
    assert.ok(place.socket.types.includes('register'));
  });

  test('what is no token is refused at once, when it is given', () => {
    const refused = { code: 20101, name: 'AccessTokenInvalid', message: /VoiceGrant/ };
    for (const token of [undefined, null, { token: 'x' }, 'x'.repeat(9_000)])
      assert.throws(() => new Place({ token: token as string }), refused);
    const place = new Place();
    assert.throws(() => place.device.updateToken(undefined as unknown as string), refused);
    assert.equal(place.device.token, 'token');
  });

  test('a token that ends is told before; a new one goes over the same socket and takes the registration up again', async () => {
    const place = new Place({ tokenRefreshMs: 3000 });
    const registering = place.device.register();
    place.socket.connect(10);
    await place.settle();
    place.socket.say({ type: 'ready' });
    await registering;
    place.news();
    await place.clock.advance(7_000);
    assert.deepEqual(place.news(), ['tokenWillExpire']);
    place.socket.say({ type: 'error', error: { code: 31205, message: 'the token has expired' } });
    place.socket.say({ type: 'offline' });
    assert.deepEqual(place.news(), ['error 20104', 'unregistered']);
    place.device.updateToken('another');
    place.socket.say({ type: 'connected', identity: 'mike', ttlSeconds: 60, edge: '', home: '' });
    await place.settle();
    assert.equal(place.sockets.length, 1);
    assert.equal(place.socket.got.at(-1)?.type, 'register');
  });

  test('a server that does not answer fails what waits for it within 10 s, and is tried on', async () => {
    const place = new Place();
    const registering = place.device.register();
    const refused = assert.rejects(registering, { code: 31009, message: /ws:\/\/place\/signal.*tried on$/ });
    await place.clock.advance(10_000);
    await refused;
    await place.clock.advance(30_000);
    assert.ok(place.sockets.length > 2);
  });

  test('a server that does not answer a call is not tried any more, and not said to be', async () => {
    const place = new Place();
    const refused = assert.rejects(place.device.connect(), { code: 31009, message: /reachable from this page$/ });
    await place.clock.advance(10_000);
    await refused;
    const before = place.sockets.length;
    await place.clock.advance(30_000);
    assert.equal(place.sockets.length, before);
  });

  test('destroyed, it hangs up, closes its socket and does nothing more', async () => {
    const place = new Place();
    await place.registered();
    await place.calling();
    place.device.destroy();
    assert.equal(place.socket.last('hangup')?.callsid, 'CA1');
    assert.ok(place.socket.isClosed);
    assert.deepEqual(place.news(), ['disconnect', 'destroyed']);
    await assert.rejects(place.device.register(), { code: 31000 });
  });
});
