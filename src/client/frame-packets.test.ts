import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { sequenceDistance, RtpPacketView, timestampDistance } from '../wire/rtp/packet.ts';
import { amplitudeOf } from '../wire/sound/goertzel.ts';
import { FramePacker, FrameUnpacker } from './frame-packets.ts';

const RATE = 44_100;

function tone(hertz: number, samples: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hertz * at) / RATE));
}

suite('sound as packets', () => {
  test('a microphone of 44.1 kHz becomes packets of 20 ms, numbered one after another', () => {
    const packer = new FramePacker(RATE, seededRandom(1));
    const sound = tone(600, RATE);
    const packets: Uint8Array[] = [];
    for (let at = 0; at < sound.length; at += 882) packets.push(...packer.push(sound.subarray(at, at + 882)));
    assert.ok(packets.length >= 49 && packets.length <= 50, `${packets.length} packets of a second`);
    const views = packets.map((packet) => {
      const view = new RtpPacketView();
      assert.equal(view.read(packet), undefined);
      return view;
    });
    assert.deepEqual(
      views.map(({ marker }) => marker),
      views.map((_, index) => index === 0),
    );
    for (const [index, view] of views.entries()) {
      const before = views[index - 1];
      assert.deepEqual([view.payloadType, view.payloadLength], [0, 160]);
      if (before === undefined) continue;
      assert.equal(sequenceDistance(before.sequence, view.sequence), 1);
      assert.equal(timestampDistance(before.timestamp, view.timestamp), 160);
    }
  });

  test('what goes through both keeps its pitch and its loudness', () => {
    const packer = new FramePacker(RATE, seededRandom(1));
    const unpacker = new FrameUnpacker(RATE);
    const heard = packer
      .push(tone(600, RATE))
      .flatMap((packet) => [...(unpacker.push(packet) ?? [])])
      .slice(4_410, 39_690);
    const at = (hertz: number): number => amplitudeOf(hertz, heard, RATE);
    assert.ok(Math.abs(at(600) - 0.5) < 0.03, `600 Hz with ${at(600)}`);
    assert.ok(at(900) < 0.01, `900 Hz with ${at(900)}`);
  });

  test('keys, other formats and what is no packet make no sound', () => {
    const unpacker = new FrameUnpacker(RATE);
    assert.equal(unpacker.push(new Uint8Array(3)), undefined);
    assert.equal(unpacker.push(Uint8Array.of(0x80, 101, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5, 10, 0, 160)), undefined);
  });
});
