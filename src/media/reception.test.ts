import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reception } from './reception.ts';

const SSRC = 7;

function packet(index: number, ssrc = SSRC): { ssrc: number; sequence: number; timestamp: number } {
  return { ssrc, sequence: (65_500 + index) & 0xffff, timestamp: (index * 160) >>> 0 };
}

describe('reception statistics', () => {
  it('counts loss over the wrap of the sequence number, a late packet being no loss', () => {
    const reception = new Reception(8_000);
    for (const index of [0, 1, 2, 4, 3, ...Array.from({ length: 90 }, (_, i) => 10 + i)]) {
      reception.add(packet(index), index * 20, true);
    }
    assert.equal(reception.packetsReceived, 95);
    assert.equal(reception.packetsLost, 5);
    const report = reception.report();
    assert.equal(report?.highestSequence, 0x1_0000 + 65_500 + 99);
    assert.equal(report?.fractionLost, Math.floor((5 * 256) / 100));
    assert.equal(reception.report()?.fractionLost, 0);
  });

  it('starts anew with a new source and keeps the loss of the old one', () => {
    const reception = new Reception(8_000);
    for (const index of [0, 2]) reception.add(packet(index), index * 20, true);
    for (const index of [5_000, 5_001]) reception.add(packet(index, 9), index * 20, true);
    assert.equal(reception.packetsLost, 1);
    assert.equal(reception.report()?.ssrc, 9);
  });

  it('measures jitter as RFC 3550 does, and takes a new time line for none', () => {
    const reception = new Reception(8_000);
    for (let index = 0; index < 400; index += 1) reception.add(packet(index), index * 20 + (index % 2) * 4, true);
    assert.ok(Math.abs(reception.jitterMs - 4) < 0.2, `${reception.jitterMs} ms`);
    reception.add({ ...packet(400), timestamp: 4_000_000_000 }, 8_000, true);
    assert.ok(reception.jitterMs < 4.2);
  });
});
