import assert from 'node:assert/strict';
import { join } from 'node:path';
import { secondsOfTone } from '../../testkit/sound-measure.ts';
import {
  tone,
  heardOf,
  keysOf,
  assertTone,
  openPair,
  withoutTelephoneEvents,
  onlyPcma,
  type World,
  type Pair,
  type Promised,
} from './compliance-world.ts';

/** Two phones, each connected to a leg of the service, and the two legs to be bridged. */
async function openTwoPhones(world: World, alter?: (sdp: string) => string): Promise<{ left: Pair; right: Pair }> {
  const [left, right] = await Promise.all([openPair(world), openPair(world, alter)]);
  return { left, right };
}

export function bridging(promise: Promised): void {
  const bothHear = async (world: World, folder: string, alter?: (sdp: string) => string): Promise<void> => {
    const { left, right } = await openTwoPhones(world, alter);
    const bridge = await world.node.bridge([left.b, right.b]);
    const paths = [join(folder, 'left.wav'), join(folder, 'right.wav')] as const;
    await world.pass(100);
    const recordings = [left.a.record({ path: paths[0] }), right.a.record({ path: paths[1] })];
    const plays = [left.a.play([tone(600, 1_000)]), right.a.play([tone(900, 1_000)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(200);
    for (const recording of recordings) recording.stop();
    await world.settle(Promise.all(recordings.map((recording) => recording.done)));
    assertTone(world, { heard: heardOf(paths[0]), hertz: 900, seconds: 0.9 });
    assertTone(world, { heard: heardOf(paths[1]), hertz: 600, seconds: 0.9 });
    assert.equal(secondsOfTone(heardOf(paths[0]), 600) + secondsOfTone(heardOf(paths[1]), 900), 0);
    const [statistics] = await world.settle(Promise.all([right.a.statistics(), left.a.statistics()]));
    assert.equal(statistics.packetsLost, 0);
    await bridge.close();
  };

  promise('passes sound between two phones of one codec', (world, folder) => bothHear(world, folder));
  promise('passes sound between phones of different codecs', (world, folder) => bothHear(world, folder, onlyPcma));
  promise('passes sound to a phone whose keys must be found in the sound', (world, folder) =>
    bothHear(world, folder, withoutTelephoneEvents),
  );

  promise('hands keys on when asked, and reports them too', async (world) => {
    const { left, right } = await openTwoPhones(world);
    await world.node.bridge([left.b, right.b], { passDigits: true });
    await world.settle(left.a.sendDigits('19#').done);
    await world.pass(300);
    assert.equal(keysOf(left.eventsOfB), '19#');
    assert.equal(keysOf(right.eventsOfA), '19#');
  });

  promise('keeps keys to itself when not asked', async (world) => {
    const { left, right } = await openTwoPhones(world);
    await world.node.bridge([left.b, right.b]);
    await world.settle(left.a.sendDigits('19#').done);
    await world.pass(300);
    assert.equal(keysOf(left.eventsOfB), '19#');
    assert.equal(keysOf(right.eventsOfA), '');
  });

  promise('lets a caller listen to early media without being heard', async (world, folder) => {
    const { left, right } = await openTwoPhones(world);
    await world.node.bridge([left.b, right.b], { listeners: [left.b] });
    const paths = [join(folder, 'left.wav'), join(folder, 'right.wav')] as const;
    const recordings = [left.a.record({ path: paths[0] }), right.a.record({ path: paths[1] })];
    const plays = [left.a.play([tone(600, 500)]), right.a.play([tone(900, 500)])];
    await world.settle(Promise.all(plays.map((play) => play.done)));
    await world.pass(200);
    for (const recording of recordings) recording.stop();
    const [, unheard] = await world.settle(Promise.all(recordings.map((recording) => recording.done)));
    assertTone(world, { heard: heardOf(paths[0]), hertz: 900, seconds: 0.4 });
    assert.equal(unheard?.durationMs, 0);
  });

  promise('records both sides of a bridge, mixed or apart', async (world, folder) => {
    const { left, right } = await openTwoPhones(world);
    const bridge = await world.node.bridge([left.b, right.b]);
    await world.pass(100);
    const dual = join(folder, 'dual.wav');
    const recorded = bridge.record({ path: dual, channels: 2 });
    await world.settle(Promise.all([left.a.play([tone(600, 600)]).done, right.a.play([tone(900, 600)]).done]));
    await world.pass(150);
    recorded.stop();
    const result = await world.settle(recorded.done);
    assert.deepEqual([result.endedBy, result.channels], ['stop', 2]);
    assertTone(world, { heard: heardOf(dual, 0), hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: heardOf(dual, 1), hertz: 900, seconds: 0.5 });
    const mono = bridge.record({ path: join(folder, 'mono.wav'), channels: 1 });
    await world.settle(Promise.all([left.a.play([tone(600, 600)]).done]));
    await world.settle(Promise.all([right.a.play([tone(900, 600)]).done]));
    await world.settle(left.b.close());
    assert.equal((await world.settle(mono.done)).endedBy, 'hangup');
    const mixed = heardOf(join(folder, 'mono.wav'));
    assertTone(world, { heard: mixed, hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: mixed, hertz: 900, seconds: 0.4 });
  });

  promise('lets each leg go on alone after a bridge, and plays into one', async (world, folder) => {
    const { left, right } = await openTwoPhones(world);
    const bridge = await world.node.bridge([left.b, right.b]);
    const path = join(folder, 'left.wav');
    const recorded = left.a.record({ path });
    await world.pass(200);
    assert.equal((await world.settle(left.b.play([tone(600, 600)]).done)).outcome, 'completed');
    await bridge.close();
    assert.equal((await world.settle(left.b.play([tone(900, 600)]).done)).outcome, 'completed');
    void right.a.play([tone(1_000, 300)]);
    await world.pass(400);
    recorded.stop();
    await world.settle(recorded.done);
    const heard = heardOf(path);
    assertTone(world, { heard: heard, hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: heard, hertz: 900, seconds: 0.5 });
    assert.equal(secondsOfTone(heard, 1_000), 0);
  });

  promise('carries a conference of three, each hearing the other two', async (world, folder) => {
    const phones = await Promise.all([openPair(world), openPair(world), openPair(world)]);
    await world.node.bridge(phones.map(({ b }) => b));
    const path = join(folder, 'third.wav');
    const recorded = phones[2]?.a.record({ path });
    await world.settle(Promise.all([phones[0]?.a.play([tone(600, 900)]).done]));
    await world.settle(Promise.all([phones[1]?.a.play([tone(900, 900)]).done]));
    await world.pass(300);
    recorded?.stop();
    await world.settle(Promise.all([recorded?.done]));
    assertTone(world, { heard: heardOf(path), hertz: 600, seconds: 0.5 });
    assertTone(world, { heard: heardOf(path), hertz: 900, seconds: 0.5 });
  });
}
