import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildRtcp, isRtcp, middleOfNtp, ntpTime, parseRtcp, type RtcpPacket } from './rtcp.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const reportBlock = fc.record({
  ssrc: uint32,
  fractionLost: fc.integer({ min: 0, max: 255 }),
  cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
  highestSequence: uint32,
  jitter: uint32,
  lastSenderReport: uint32,
  delaySinceLast: uint32,
});
const reports = fc.array(reportBlock, { maxLength: 4 });
const text = fc.string({ unit: 'binary-ascii', maxLength: 40 });
const packet = fc.oneof(
  fc.record({
    kind: fc.constant('sender-report' as const),
    ssrc: uint32,
    ntpSeconds: uint32,
    ntpFraction: uint32,
    rtpTimestamp: uint32,
    packetCount: uint32,
    octetCount: uint32,
    reports,
  }),
  fc.record({ kind: fc.constant('receiver-report' as const), ssrc: uint32, reports }),
  fc.record({
    kind: fc.constant('source-description' as const),
    sources: fc.array(fc.record({ ssrc: uint32, cname: text }), { maxLength: 3 }),
  }),
  fc.record(
    {
      kind: fc.constant('bye' as const),
      sources: fc.array(uint32, { maxLength: 3 }),
      reason: text.filter((t) => t !== ''),
    },
    { requiredKeys: ['kind', 'sources'] },
  ),
);

test('reads back every compound packet it writes', () => {
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1, maxLength: 4 }), (packets) => {
      const bytes = buildRtcp(packets);
      assert.equal(bytes.length % 4, 0);
      assert.ok(isRtcp(bytes));
      const parsed = parseRtcp(bytes);
      assert.equal(parsed.kind, 'ok');
      assert.deepEqual(plain(parsed.kind === 'ok' ? parsed.value : []), plain(packets));
    }),
  );
});

/** Generated records have no prototype. */
function plain(packets: readonly RtcpPacket[]): unknown {
  return JSON.parse(JSON.stringify(packets));
}

test('never throws on random bytes, whole or cut short', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 200, max: 205 }), (bytes, type) => {
      if (bytes.length >= 4) bytes.set([0x80 | ((bytes[0] as number) & 0x3f), type, 0, (bytes.length >> 2) - 1]);
      parseRtcp(bytes);
    }),
  );
  const whole = buildRtcp([{ kind: 'source-description', sources: [{ ssrc: 1, cname: 'tandem@192.0.2.1' }] }]);
  for (let length = 0; length < whole.length; length++) assert.equal(parseRtcp(whole.subarray(0, length)).kind, 'bad');
});

test('reads a report that ends in padding', () => {
  const bytes = Uint8Array.of(0xa0, 201, 0, 2, 0, 0, 0, 5, 0, 0, 0, 4);
  const parsed = parseRtcp(bytes);
  assert.deepEqual(parsed.kind === 'ok' && parsed.value, [{ kind: 'receiver-report', ssrc: 5, reports: [] }]);
});

test('passes over types that it does not know', () => {
  const feedback = Uint8Array.of(0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2);
  const parsed = parseRtcp(feedback);
  assert.deepEqual(parsed.kind === 'ok' && parsed.value, [{ kind: 'other', packetType: 205 }]);
});

test('turns Unix time into NTP time', () => {
  assert.deepEqual(ntpTime(500), { seconds: 2_208_988_800, fraction: 0x8000_0000 });
  assert.equal(middleOfNtp(0x1234_5678, 0x9abc_def0), 0x5678_9abc);
});
