import assert from 'node:assert/strict';
import { join } from 'node:path';
import { secondsOfTone } from '../../testkit/sound-measure.ts';
import {
  ALL_KEYS,
  tone,
  heardOf,
  keysOf,
  assertTone,
  openPair,
  passUntil,
  soundOf,
  withoutTelephoneEvents,
  type Promised,
} from './compliance-world.ts';

export function talking(promise: Promised): void {
  promise('carries 600 Hz one way and 900 Hz the other, each leg hearing only the other', async (world, folder) => {
    const { a, b } = await openPair(world);
    const atA = a.record({ path: join(folder, 'a.wav') });
    const atB = b.record({ path: join(folder, 'b.wav') });
    const plays = [a.play([tone(600, 1_000)]), b.play([tone(900, 1_000)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(200);
    atA.stop();
    atB.stop();
    await world.settle(Promise.all([atA.done, atB.done]));
    const [heardByA, heardByB] = [heardOf(join(folder, 'a.wav')), heardOf(join(folder, 'b.wav'))];
    assertTone(world, { heard: heardByB, hertz: 600, seconds: 0.9 });
    assertTone(world, { heard: heardByA, hertz: 900, seconds: 0.9 });
    assert.equal(secondsOfTone(heardByA, 600) + secondsOfTone(heardByB, 900), 0);
  });

  promise('sends silence while nothing plays, and tells when the first sound came', async (world) => {
    const { a, b, eventsOfA, eventsOfB } = await openPair(world);
    await world.pass(500);
    assert.deepEqual([eventsOfA, eventsOfB].map(soundOf), [[{ kind: 'audio-started' }], [{ kind: 'audio-started' }]]);
    const { packetsReceived, packetsLost, codec, remote, firstAudioAfterMs } = await world.settle(a.statistics());
    assert.ok(packetsReceived >= 25 * world.leastShare, `${packetsReceived} packets in half a second`);
    assert.equal(packetsLost, 0);
    assert.equal(codec, 'PCMU');
    assert.equal(remote?.address, world.leg.kind === 'frames' ? undefined : '127.0.0.1');
    // A browser's connection begins with the answer.
    assert.ok((firstAudioAfterMs ?? Infinity) < (world.leg.kind === 'webrtc' ? 2_000 : 200));
    await Promise.all([a.close(), b.close()]);
  });

  promise(
    'tells when nothing arrives from a peer that should be sending, and tells it again',
    async (world) => {
      const { a, b, eventsOfA } = await openPair(world);
      await passUntil(world, () => soundOf(eventsOfA).length > 0);
      await b.close();
      await passUntil(world, () => soundOf(eventsOfA).length >= 3);
      assert.deepEqual(
        soundOf(eventsOfA).map((event) => event.kind),
        ['audio-started', 'audio-missing', 'audio-missing'],
      );
      await a.close();
    },
    { audioMissingMs: 400 },
  );
}

export function digits(promise: Promised): void {
  promise('carries every key both ways as telephone events, once each and in order', async (world) => {
    const { a, b, eventsOfA, eventsOfB } = await openPair(world);
    const sent = [a.sendDigits(ALL_KEYS), b.sendDigits([...ALL_KEYS].reverse().join(''))];
    const outcomes = await world.settle(Promise.all(sent.map((playback) => playback.done)));
    await world.pass(100);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ['completed', 'completed'],
    );
    assert.equal(keysOf(eventsOfB), ALL_KEYS);
    assert.equal(keysOf(eventsOfA), [...ALL_KEYS].reverse().join(''));
    assert.ok(eventsOfB.every((event) => event.kind !== 'digit' || (event.via === 'rtp' && event.durationMs >= 80)));
  });

  promise('carries keys as tones where telephone-event was not negotiated', async (world) => {
    const { a, b, eventsOfA, eventsOfB } = await openPair(world, withoutTelephoneEvents);
    await world.pass(200);
    const sent = [a.sendDigits(ALL_KEYS), b.sendDigits('#w1')];
    await world.settle(Promise.all(sent.map((playback) => playback.done)));
    await world.pass(300);
    assert.equal(keysOf(eventsOfB), ALL_KEYS);
    assert.equal(keysOf(eventsOfA), '#1');
    assert.ok(eventsOfB.every((event) => event.kind !== 'digit' || event.via === 'in-band'));
  });

  promise('does not take tones in the sound for keys where telephone-event was negotiated', async (world) => {
    const { a, eventsOfB } = await openPair(world);
    await world.settle(a.play([{ kind: 'tone', hertz: [770, 1336], durationMs: 300 }]).done);
    await world.pass(200);
    assert.equal(keysOf(eventsOfB), '');
  });

  promise('pauses at w and W, and refuses what is no key', async (world) => {
    const { a, eventsOfB } = await openPair(world);
    assert.ok((await world.settle(a.sendDigits('1wW2').done)).playedMs >= 1_700);
    const refused = await world.settle(a.sendDigits('12x').done);
    assert.equal(refused.outcome, 'failed');
    await world.pass(100);
    assert.equal(keysOf(eventsOfB), '12');
  });

  promise('a leg that rests sends nothing, and goes on afterwards', async (world) => {
    const { a } = await openPair(world);
    await world.pass(200);
    a.rest(true);
    await world.pass(200);
    const resting = (await a.statistics()).packetsSent;
    await world.pass(400);
    assert.equal((await a.statistics()).packetsSent, resting);
    a.rest(false);
    await world.pass(400);
    assert.ok((await a.statistics()).packetsSent > resting + 5);
  });

  promise('reports a digit that came by signalling', async (world) => {
    const { a, eventsOfA } = await openPair(world);
    a.injectDigit('7');
    a.injectDigit('nonsense');
    await world.settle(a.statistics());
    assert.deepEqual(
      eventsOfA.filter((event) => event.kind === 'digit'),
      [{ kind: 'digit', digit: '7', durationMs: 0, via: 'info' }],
    );
  });
}
