import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ClientError } from './client-error.ts';
import { Place } from './place.fixture.ts';

suite('a Call that the page makes', () => {
  test('invites with its parameters, rings, is answered', async () => {
    const place = new Place();
    const connecting = place.device.connect({ params: { To: 'bob', team: 'red & blue' } });
    place.socket.connect();
    const call = place.follow(await connecting);
    const invite = place.socket.last('invite');
    assert.equal(invite?.parameters, 'To=bob&team=red+%26+blue');
    assert.deepEqual(invite?.sound, { kind: 'webrtc', sdp: 'offer' });
    assert.equal(call.status(), 'connecting');
    place.socket.say({ type: 'ringing', callsid: 'CA1', sound: undefined });
    assert.equal(call.status(), 'ringing');
    assert.equal(call.parameters['CallSid'], 'CA1');
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp: 'yes' }, reconnect: 'secret' });
    assert.equal(call.status(), 'open');
    assert.deepEqual(place.news(), ['ringing', 'accept']);
    call.disconnect();
    assert.equal(place.socket.last('hangup')?.callsid, 'CA1');
    assert.deepEqual(place.news(), ['disconnect']);
    assert.ok(place.sound.done.includes('close'));
  });

  test('without a microphone it is not made, and the error says why', async () => {
    const place = new Place();
    place.microphone = new ClientError(31401, 'the microphone was refused');
    const connecting = place.device.connect();
    const refused = assert.rejects(connecting, { code: 31401, name: 'PermissionDeniedError' });
    place.socket.connect();
    await refused;
    assert.equal(place.device.isBusy, false);
    assert.ok(!place.socket.types.includes('invite'));
  });

  test('a Device is in one call at a time', async () => {
    const place = new Place();
    await place.registered();
    await place.calling();
    await assert.rejects(place.device.connect(), { code: 31486 });
  });

  test('what the server ends with an error is told with its number', async () => {
    const place = new Place();
    const call = await place.calling();
    place.socket.say({ type: 'hangup', callsid: 'CA1', error: { code: 31486, message: 'Busy Here' } });
    assert.equal(call.status(), 'closed');
    assert.deepEqual(place.news(), ['call error 31486', 'disconnect']);
  });

  test('one that fails has ended when the page hears why: it may call again at once', async () => {
    const place = new Place();
    await place.registered();
    const call = await place.calling();
    const ends: string[] = [];
    call.on('error', () => {
      ends.push(`error, ${place.device.isBusy ? 'busy' : 'free'}`);
      call.disconnect();
    });
    call.on('disconnect', () => ends.push('disconnect'));
    place.sound.events.failed(new ClientError(31000, 'broken'));
    assert.deepEqual(ends, ['error, free', 'disconnect']);
    assert.equal(place.socket.types.filter((type) => type === 'hangup').length, 1);
  });

  test('goes on over the next socket by its secret; keys pressed meanwhile arrive', async () => {
    const place = new Place();
    const call = await place.calling();
    place.socket.drop();
    assert.equal(call.status(), 'reconnecting');
    call.sendDigits('12');
    await place.clock.advance(150);
    place.socket.connect();
    const invite = place.socket.last('invite');
    assert.deepEqual([invite?.callsid, invite?.reconnect], ['CA1', 'secret']);
    assert.deepEqual(invite?.sound, { kind: 'webrtc', sdp: 'current' });
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: undefined, reconnect: 'next' });
    assert.equal(call.status(), 'open');
    assert.equal(
      place.socket.got
        .filter((each) => each.type === 'dtmf')
        .map((each) => each.digits)
        .join(''),
      '12',
    );
    assert.deepEqual(place.news(), ['reconnecting 53001', 'reconnected']);
  });

  test('without a connection for 30 s it ends', async () => {
    const place = new Place();
    const call = await place.calling();
    place.socket.drop();
    await place.clock.advance(30_000);
    assert.equal(call.status(), 'closed');
    assert.deepEqual(place.news(), ['reconnecting 53001', 'call error 53001', 'disconnect']);
  });

  test('hung up without a connection, the server hears of it with the next one', async () => {
    const place = new Place();
    await place.registered();
    const call = await place.calling();
    place.socket.drop();
    call.disconnect();
    await place.clock.advance(150);
    place.socket.connect();
    assert.equal(place.socket.last('hangup')?.callsid, 'CA1');
  });

  test('sound that breaks off is offered another connection until it is there', async () => {
    const place = new Place();
    const call = await place.calling();
    place.sound.events.down();
    await place.settle();
    assert.deepEqual(place.socket.last('reinvite')?.sound, { kind: 'webrtc', sdp: 'restart' });
    await place.clock.advance(5_000);
    assert.equal(place.socket.types.filter((type) => type === 'reinvite').length, 2);
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp: 'again' }, reconnect: 'next' });
    place.sound.events.up();
    assert.equal(call.status(), 'open');
    assert.ok(place.sound.done.includes('accept again'));
    assert.deepEqual(place.news(), ['reconnecting 53405', 'reconnected']);
  });

  test('early sound that breaks off is looked for as soon as the call is answered', async () => {
    const place = new Place();
    const call = await place.ringing({ kind: 'webrtc', sdp: 'early' });
    place.sound.events.up();
    place.sound.events.down();
    await place.settle();
    assert.equal(call.status(), 'ringing');
    assert.equal(place.socket.last('reinvite'), undefined);
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp: 'early' }, reconnect: 'secret' });
    await place.settle();
    assert.deepEqual(place.socket.last('reinvite')?.sound, { kind: 'webrtc', sdp: 'restart' });
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp: 'again' }, reconnect: 'next' });
    place.sound.events.up();
    assert.equal(call.status(), 'open');
    assert.deepEqual(place.news(), ['ringing with sound', 'accept', 'reconnecting 53405', 'reconnected']);
  });

  test('early sound that is back before the answer leaves no trace', async () => {
    const place = new Place();
    const call = await place.ringing({ kind: 'webrtc', sdp: 'early' });
    for (const event of ['up', 'down', 'up'] as const) place.sound.events[event]();
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: undefined, reconnect: 'secret' });
    await place.clock.advance(10_000);
    assert.equal(call.status(), 'open');
    assert.equal(place.socket.last('reinvite'), undefined);
    assert.deepEqual(place.news(), ['ringing with sound', 'accept']);
  });

  test('early sound that comes after it was given up stays by WebRTC', async () => {
    const place = new Place();
    const call = await place.ringing({ kind: 'webrtc', sdp: 'early' });
    for (const event of ['down', 'up'] as const) place.sound.events[event]();
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: undefined, reconnect: 'secret' });
    await place.beating(30_000);
    assert.equal(call.route, 'webrtc');
    assert.equal(place.socket.last('reinvite'), undefined);
  });

  test('early sound for which no packet passes goes over to frames with the answer', async () => {
    const place = new Place();
    await place.ringing({ kind: 'webrtc', sdp: 'early' });
    place.sound.events.down();
    await place.settle();
    assert.equal(place.socket.last('reinvite'), undefined);
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: undefined, reconnect: 'secret' });
    await place.settle();
    assert.deepEqual(place.socket.last('reinvite')?.sound, { kind: 'frames' });
    assert.deepEqual(place.news(), ['ringing with sound', 'accept']);
  });

  test('one for which WebRTC carries nothing goes over to frames, muted and metered as it was, and stays', async () => {
    const place = new Place();
    const call = await place.ringing(undefined);
    call.mute();
    call.on('volume', () => undefined);
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp: 'yes' }, reconnect: 'secret' });
    const webRtc = place.sound;
    webRtc.events.down();
    await place.settle();
    assert.deepEqual(place.socket.last('reinvite'), { type: 'reinvite', callsid: 'CA1', sound: { kind: 'frames' } });
    assert.equal(call.route, 'webrtc');
    place.socket.frame(new Uint8Array(12));
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'frames' }, reconnect: 'next' });
    place.sound.events.up();
    webRtc.events.down();
    for (let beats = 0; beats < 6; beats += 1) {
      await place.clock.advance(5_000);
      place.socket.say({ type: 'heartbeat' });
    }
    assert.equal(call.status(), 'open');
    assert.equal(call.route, 'frames');
    assert.deepEqual(place.sound.done, ['mute', 'frame 12', 'meter', 'accept frames']);
    assert.equal(webRtc.done.at(-1), 'close');
    assert.deepEqual(place.news(), ['ringing', 'muted', 'accept', 'route frames']);
    call.disconnect();
    assert.equal(place.sound.done.at(-1), 'close');
    assert.equal(call.route, 'frames', 'what it was is still told');
  });

  test('one that comes in goes over to frames too', async () => {
    const place = new Place();
    await place.registered();
    const call = await place.rung();
    call.accept();
    await place.settle();
    place.sound.events.down();
    await place.settle();
    assert.deepEqual(place.socket.last('reinvite'), { type: 'reinvite', callsid: 'CA2', sound: { kind: 'frames' } });
  });

  test('one that lost its socket as it goes over asks for frames on the next', async () => {
    const place = new Place();
    const call = await place.unheard();
    place.socket.drop();
    place.sound.events.down();
    await place.clock.advance(150);
    place.socket.connect();
    assert.deepEqual(place.socket.last('invite')?.sound, { kind: 'frames' });
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'frames' }, reconnect: 'next' });
    assert.equal(call.route, 'frames');
    assert.equal(call.status(), 'open');
  });

  test('one that goes over without a socket is given up for want of that, not of sound', async () => {
    const place = new Place();
    await place.unheard();
    place.socket.drop();
    place.sound.events.down();
    await place.clock.advance(29_000);
    assert.deepEqual(place.news(), ['ringing', 'accept', 'reconnecting 53001']);
    await place.clock.advance(1_000);
    assert.deepEqual(place.news(), ['call error 53001', 'disconnect']);
  });

  test('one that goes over leaves the direct way that it was finding', async () => {
    const place = new Place({ direct: true });
    await place.unheard();
    place.socket.say({ type: 'direct', callsid: 'CA1', step: { kind: 'start' } });
    place.sound.events.down();
    await place.settle();
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'frames' }, reconnect: 'next' });
    assert.deepEqual(place.socket.last('direct')?.step, { kind: 'down' });
  });

  test('one whose frames the server refuses, or does not answer to, ends with what stands between', async () => {
    for (const answer of ['refusal', 'none'] as const) {
      const place = new Place();
      const call = await place.unheard();
      place.sound.events.down();
      await place.settle();
      const error = { code: 53402, message: 'the offer could not be taken; the sound stays as it was' };
      if (answer === 'refusal') place.socket.say({ type: 'error', callsid: 'CA1', error });
      else await place.beating(20_000);
      assert.equal(call.status(), 'closed');
      assert.ok(place.news().includes('call error 53405'));
      for (const sound of place.sounds) assert.equal(sound.done.at(-1), 'close');
    }
  });

  test('one that may not have the microphone again ends with that', async () => {
    const place = new Place();
    await place.unheard();
    place.microphone = new ClientError(31401, 'the microphone was refused');
    place.sound.events.down();
    await place.settle();
    assert.deepEqual(place.news(), ['ringing', 'accept', 'call error 31401', 'disconnect']);
  });

  test('one that hung up as it took the microphone again sends nothing and frees it', async () => {
    const place = new Place();
    const call = await place.unheard();
    place.sound.events.down();
    call.disconnect();
    await place.settle();
    assert.equal(place.socket.last('reinvite'), undefined);
    for (const sound of place.sounds) assert.equal(sound.done.at(-1), 'close');
  });

  test('sound that never comes ends it with what stands between, where WebRTC alone is wanted', async () => {
    const place = new Place();
    place.blockedRoute = 'webrtc';
    const connecting = place.device.connect();
    place.socket.connect();
    const call = await connecting;
    const errors: ClientError[] = [];
    call.on('error', (error) => errors.push(error));
    place.socket.say({ type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp: 'yes' }, reconnect: 'secret' });
    await place.clock.advance(20_000);
    assert.equal(call.status(), 'closed');
    assert.equal(errors[0]?.code, 53405);
    assert.match(errors[0]?.message ?? '', /firewall/);
  });

  test('after WebRTC carried nothing the next call, and whoever calls, takes the socket; another network is tried anew', async () => {
    const place = new Place();
    await place.registered();
    const call = await place.unheard();
    place.sound.events.down();
    await place.settle();
    call.disconnect();
    assert.deepEqual(place.socket.last('register'), { type: 'register', audio: true, frames: true });
    const next = await place.device.connect();
    assert.equal(place.sound.kind, 'frames');
    next.disconnect();
    place.wake('network');
    await place.device.connect();
    assert.equal(place.sound.kind, 'webrtc');
  });

  test('keys go in order, w waits half a second; what is no key is refused', async () => {
    const place = new Place();
    const call = await place.calling();
    call.sendDigits('1w2');
    call.sendDigits('3');
    const sent = (): string[] => place.socket.got.filter((each) => each.type === 'dtmf').map((each) => each.digits);
    assert.deepEqual(sent(), ['1']);
    await place.clock.advance(500);
    assert.equal(sent().join(''), '123');
    assert.throws(() => call.sendDigits('12a'), { code: 31100 });
  });

  test('mutes, and says so once', async () => {
    const place = new Place();
    const call = await place.calling();
    call.mute();
    call.mute(true);
    call.mute(false);
    assert.deepEqual(place.news(), ['muted', 'unmuted']);
    assert.deepEqual(place.sound.done.slice(-2), ['mute', 'unmute']);
  });

  test('messages go both ways, each told once the server has it', async () => {
    const place = new Place();
    const call = await place.calling();
    const sid = call.sendMessage({ content: { hello: 'there' } });
    assert.equal(place.socket.last('message')?.content, '{"hello":"there"}');
    place.socket.say({ type: 'ack', callsid: 'CA1', eventSid: sid });
    place.socket.say({
      ...{ type: 'message', callsid: 'CA1', content: '{"a":1}', contentType: 'application/json' },
      ...{ messageType: 'user-defined-message', eventSid: 'KX1' },
    });
    assert.deepEqual(place.news(), [`sent ${sid}`, 'message {"a":1}']);
  });
});

suite('a Call that comes in', () => {
  test('tells who calls and its custom parameters; accepted, it is open', async () => {
    const place = new Place();
    await place.registered();
    const call = await place.rung({ Params: 'order=7+%26+8' });
    assert.equal(call.parameters['From'], 'client:jenny');
    assert.equal(call.customParameters.get('order'), '7 & 8');
    assert.equal(call.status(), 'pending');
    call.accept();
    await place.settle();
    assert.deepEqual(place.socket.last('answer')?.sound, { kind: 'webrtc', sdp: 'answer' });
    assert.deepEqual(place.news(), ['incoming client:jenny', 'accept']);
  });

  test('a refused microphone leaves it ringing, to be accepted again', async () => {
    const place = new Place();
    await place.registered();
    const call = await place.rung();
    place.microphone = new ClientError(31401, 'the microphone was refused');
    call.accept();
    await place.settle();
    assert.equal(call.status(), 'pending');
    assert.ok(!place.device.isBusy);
    place.microphone = undefined;
    call.accept();
    await place.settle();
    assert.equal(call.status(), 'open');
    assert.deepEqual(place.news(), ['incoming client:jenny', 'call error 31401', 'accept']);
  });

  test('beside another call it is not taken: it rings on, and is taken after that one', async () => {
    const place = new Place();
    await place.registered();
    const first = await place.calling();
    const second = await place.rung();
    second.accept();
    assert.deepEqual(place.news(), ['incoming client:jenny', 'call error 31486']);
    assert.equal(second.status(), 'pending');
    first.disconnect();
    second.accept();
    await place.settle();
    assert.equal(second.status(), 'open');
    assert.equal(place.sounds.length, 2);
  });

  test('what is still said of one that was ignored ends no other', async () => {
    const place = new Place();
    await place.registered();
    (await place.rung()).ignore();
    const call = await place.device.connect();
    place.socket.say({ type: 'cancel', callsid: 'CA2' });
    assert.equal(call.status(), 'connecting');
  });

  test('rejected, the server is told; ignored, it is not; cancelled, the page is', async () => {
    const place = new Place();
    await place.registered();
    (await place.rung()).reject();
    assert.equal(place.socket.last('reject')?.callsid, 'CA2');
    const before = place.socket.got.length;
    (await place.rung()).ignore();
    assert.equal(place.socket.got.length, before);
    const third = await place.rung();
    place.socket.say({ type: 'cancel', callsid: 'CA2' });
    assert.equal(third.status(), 'closed');
    assert.deepEqual(
      place.news().filter((each) => !each.startsWith('incoming')),
      ['reject', 'cancel', 'cancel'],
    );
  });

  test('frames of its sound pass both ways over the socket', async () => {
    const place = new Place();
    place.route = 'frames';
    await place.registered();
    const call = await place.rung();
    call.accept();
    await place.settle();
    assert.deepEqual(place.socket.last('answer')?.sound, { kind: 'frames' });
    place.sound.events.frame(new Uint8Array(172));
    place.socket.frame(new Uint8Array(12));
    assert.equal(place.socket.frames[0]?.length, 172);
    assert.ok(place.sound.done.includes('frame 12'));
  });
});

suite('a direct way to the other browser', () => {
  test('is described, used when the server says that both are connected, and left when it says so', async () => {
    const place = new Place({ direct: true });
    const call = await place.calling();
    assert.equal(place.socket.last('invite')?.direct, true);
    place.socket.say({ type: 'direct', callsid: 'CA1', step: { kind: 'start' } });
    await place.settle();
    assert.deepEqual(place.socket.last('direct')?.step, { kind: 'offer', sdp: 'direct offer' });
    place.socket.say({ type: 'direct', callsid: 'CA1', step: { kind: 'answer', sdp: 'theirs' } });
    place.sound.events.direct('up');
    assert.deepEqual(place.socket.last('direct')?.step, { kind: 'up' });
    assert.equal(call.route, 'webrtc');
    place.socket.say({ type: 'direct', callsid: 'CA1', step: { kind: 'up' } });
    assert.equal(call.route, 'direct');
    place.socket.say({ type: 'direct', callsid: 'CA1', step: { kind: 'down' } });
    assert.equal(call.route, 'webrtc');
    assert.deepEqual(place.news(), ['route direct', 'route webrtc']);
    assert.deepEqual(place.sound.done.slice(-3), ['direct accept theirs', 'direct use', 'direct stop']);
  });

  test('that breaks is given up, and the other side is told', async () => {
    const place = new Place({ direct: true });
    const call = await place.calling();
    place.socket.say({ type: 'direct', callsid: 'CA1', step: { kind: 'offer', sdp: 'o' } });
    await place.settle();
    assert.deepEqual(place.socket.last('direct')?.step, { kind: 'answer', sdp: 'direct answer to o' });
    place.socket.say({ type: 'direct', callsid: 'CA1', step: { kind: 'up' } });
    place.sound.events.direct('down');
    assert.deepEqual(place.socket.last('direct')?.step, { kind: 'down' });
    assert.equal(call.route, 'webrtc');
    place.sound.events.direct('up');
    assert.deepEqual(place.socket.last('direct')?.step, { kind: 'down' }, 'a late word of it is nothing');
  });

  test('is not offered unless the page allows it', async () => {
    const place = new Place();
    await place.calling();
    assert.equal(place.socket.last('invite')?.direct, false);
  });
});
