import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { RtpLegOptions } from '../media-node.ts';
import {
  tone,
  heardOf,
  assertTone,
  connect,
  openPair,
  onlyPcma,
  refusedWith,
  type Promised,
} from './compliance-world.ts';

export function negotiating(promise: Promised): void {
  promise('refuses what is no SDP, and what has no codec in common', async (world) => {
    const leg = await world.node.openLeg(world.leg);
    await refusedWith('bad-sdp', leg.answerOffer('hello'));
    const opus =
      'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n';
    await refusedWith('not-acceptable', leg.answerOffer(opus));
    await refusedWith('not-acceptable', leg.acceptAnswer(opus));
  });

  promise('is held and taken back by repeated offers', async (world) => {
    const { a, b } = await openPair(world);
    await world.pass(200);
    const hold = await a.createOffer({ direction: 'sendonly' });
    const held = await b.answerOffer(hold);
    assert.match(held, /^a=recvonly\r$/m);
    await a.acceptAnswer(held);
    const before = await world.settle(b.statistics());
    await world.pass(400);
    const during = await world.settle(b.statistics());
    assert.equal(during.packetsSent, before.packetsSent);
    assert.ok(during.packetsReceived >= before.packetsReceived + 15);
    await connect(a, b);
    await world.pass(400);
    assert.ok((await world.settle(b.statistics())).packetsSent >= during.packetsSent + 15);
  });

  promise('changes the codec at a repeated offer, the sound going on', async (world, folder) => {
    const { a, b } = await openPair(world);
    const path = join(folder, 'b.wav');
    const recording = b.record({ path });
    const playback = a.play([tone(600, 1_000)]);
    await world.pass(500);
    await connect(a, b, onlyPcma);
    await world.settle(playback.done);
    await world.pass(150);
    recording.stop();
    await world.settle(recording.done);
    assertTone(world, { heard: heardOf(path), hertz: 600, seconds: 0.9 });
    const both = await world.settle(Promise.all([a.statistics(), b.statistics()]));
    assert.deepEqual(
      both.map(({ codec }) => codec),
      ['PCMA', 'PCMA'],
    );
  });

  promise('refuses a closed leg', async (world) => {
    const leg = await world.node.openLeg(world.leg);
    await leg.close();
    await refusedWith('closed', leg.createOffer());
    assert.equal((await world.settle(leg.play([tone(600, 100)]).done)).outcome, 'stopped');
  });
}

export function limits(promise: Promised): void {
  promise(
    'refuses a leg beyond the limit and says how loaded it is',
    async (world) => {
      const legs = [await world.node.openLeg(world.leg), await world.node.openLeg(world.leg)];
      await refusedWith('overloaded', world.node.openLeg(world.leg));
      assert.equal(world.node.load().legs, 2);
      await Promise.all(legs.map((leg) => leg.close()));
      assert.equal(world.node.load().legs, 0);
    },
    { maxLegs: 2 },
  );
}

export function addressesAndPorts(promise: Promised, options: RtpLegOptions): void {
  promise('writes the advertised address into SDP', async (world) => {
    const leg = await world.node.openLeg({ ...options, advertisedAddress: '192.0.2.7' });
    assert.match(await leg.createOffer(), /^c=IN IP4 192\.0\.2\.7\r$/m);
  });

  promise(
    'refuses a leg when every pair of ports is taken, and takes one again after a close',
    async (world) => {
      const first = await world.node.openLeg(world.leg);
      await world.node.openLeg(world.leg);
      await refusedWith('no-ports', world.node.openLeg(world.leg));
      await first.close();
      await world.node.openLeg(world.leg);
    },
    { portPairs: 2 },
  );
}
