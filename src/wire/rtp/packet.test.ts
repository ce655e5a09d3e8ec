import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildRtpPacket, RtpPacketView, sequenceDistance, timestampDistance, writeRtpHeader } from './packet.ts';

const header = { payloadType: 0, marker: true, sequence: 0xfffe, timestamp: 0xdead_beef, ssrc: 0x8000_0001 };

test('reads back every header it writes', () => {
  const view = new RtpPacketView();
  fc.assert(
    fc.property(
      fc.record({
        // With the marker, types 64-95 are RTCP's (RFC 5761 4).
        payloadType: fc.integer({ min: 0, max: 127 }).filter((type) => type < 64 || type > 95),
        marker: fc.boolean(),
        sequence: fc.integer({ min: 0, max: 0xffff }),
        timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
        ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
      }),
      fc.uint8Array({ maxLength: 400 }),
      (written, payload) => {
        assert.equal(view.read(buildRtpPacket(written, payload)), undefined);
        const { payloadType, marker, sequence, timestamp, ssrc } = view;
        assert.deepEqual({ payloadType, marker, sequence, timestamp, ssrc }, { ...written });
        assert.deepEqual(view.payload(), payload);
      },
    ),
  );
});

test('writes the header of RFC 3550 5.1 byte by byte', () => {
  const bytes = new Uint8Array(12);
  assert.equal(writeRtpHeader(bytes, header), 12);
  assert.deepEqual([...bytes], [0x80, 0x80, 0xff, 0xfe, 0xde, 0xad, 0xbe, 0xef, 0x80, 0, 0, 1]);
});

test('finds the payload behind contributing sources and an extension, before padding', () => {
  const bytes = Uint8Array.of(
    ...[0x80 | 0x20 | 0x10 | 2, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
    ...[0, 0, 0, 7, 0, 0, 0, 9],
    ...[0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0],
    ...[1, 2, 3],
    ...[0, 0, 3],
  );
  const view = new RtpPacketView();
  assert.equal(view.read(bytes), undefined);
  assert.deepEqual([...view.payload()], [1, 2, 3]);
  assert.equal(view.payloadLength, 3);
  assert.deepEqual([view.csrcCount, view.csrc(0), view.csrc(1)], [2, 7, 9]);
  assert.equal(view.extensionProfile, 0xbede);
  assert.deepEqual([...bytes.subarray(view.extensionStart, view.extensionEnd)], [0x10, 0xaa, 0, 0]);
});

test('names what is wrong with bytes that are no RTP', () => {
  const view = new RtpPacketView();
  const good = buildRtpPacket(header, Uint8Array.of(1, 2, 3, 4));
  const changed = (index: number, value: number): Uint8Array => good.with(index, value);
  assert.equal(view.read(good.subarray(0, 11)), 'too-short');
  assert.equal(view.read(changed(0, 0x40)), 'wrong-version');
  assert.equal(view.read(changed(1, 200)), 'rtcp');
  assert.equal(view.read(changed(0, 0x8f)), 'csrc-overrun');
  assert.equal(view.read(changed(0, 0x90)), 'extension-overrun');
  assert.equal(view.read(changed(0, 0xa0).with(15, 5)), 'bad-padding');
  assert.equal(view.read(changed(0, 0xa0).with(15, 0)), 'bad-padding');
});

test('never throws, and never points outside the datagram', () => {
  const view = new RtpPacketView();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 63 }), (bytes, flags) => {
      if (bytes.length > 0) bytes[0] = 0x80 | flags;
      if (view.read(bytes) !== undefined) return;
      assert.ok(view.payloadStart >= 12 && view.payloadStart <= view.payloadEnd);
      assert.ok(view.payloadEnd <= bytes.length && view.extensionEnd <= view.payloadStart);
    }),
  );
});

test('measures distances over the wrap', () => {
  assert.equal(sequenceDistance(0xffff, 2), 3);
  assert.equal(sequenceDistance(2, 0xffff), -3);
  assert.equal(timestampDistance(0xffff_ff60, 0), 160);
  assert.equal(timestampDistance(0, 0xffff_ff60), -160);
});
