import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ArrivalOrder } from './arrival-order.ts';

const SAMPLES = 160;
const packet = (sequence: number, value: number, ssrc = 1) => ({
  ssrc,
  sequence: sequence & 0xffff,
  samples: new Int16Array(SAMPLES).fill(value),
});

function order(packets: readonly ReturnType<typeof packet>[]): readonly number[] {
  const values: number[] = [];
  const arrivals = new ArrivalOrder((samples) => values.push(samples[0] as number));
  for (const each of packets) arrivals.push(each);
  return values;
}

suite('arrivals in order', () => {
  test('are whole over the wrap of the sequence number', () => {
    assert.deepEqual(order([packet(65_534, 1), packet(65_535, 2), packet(65_536, 3)]), [1, 2, 3]);
  });

  test('hold silence as long as what was lost', () => {
    assert.deepEqual(order([packet(10, 1), packet(13, 2)]), [1, 0, 0, 2]);
  });

  test('leave out what comes twice, or too late', () => {
    assert.deepEqual(order([packet(10, 1), packet(12, 3), packet(11, 2), packet(12, 3), packet(13, 4)]), [1, 0, 3, 4]);
  });

  test('go on at once with another source, and after a restart of the sender', () => {
    assert.deepEqual(order([packet(10, 1), packet(4000, 2, 7), packet(20_000, 3, 7)]), [1, 2, 3]);
  });

  test('never grow by more than the longest loss for one packet', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0xffff }), { maxLength: 50 }), (sequences) => {
        assert.ok(order(sequences.map((sequence) => packet(sequence, 1))).length <= sequences.length * 50);
      }),
    );
  });
});
