import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  buildTelephoneEvent,
  eventOfKey,
  keyOfEvent,
  parseTelephoneEvent,
  TelephoneEventReceiver,
  telephoneEventPackets,
  type ReceivedKey,
} from './telephone-event.ts';

/** Plays packets into a receiver; the time is that of the schedule. */
function receive(
  receiver: TelephoneEventReceiver,
  packets: readonly { readonly atMs: number; readonly payload: Uint8Array }[],
  { ssrc = 1, timestamp = 1000, startMs = 0 } = {},
): ReceivedKey[] {
  return packets.flatMap(({ atMs, payload }) => [
    ...receiver.push({ ssrc, timestamp, payload, arrivalMs: startMs + atMs }),
  ]);
}

test('writes event, end bit, volume and duration as RFC 4733 2.3 draws them', () => {
  const payload = buildTelephoneEvent({ event: 11, end: true, volume: 10, duration: 0x0320 });
  assert.deepEqual([...payload], [11, 0x8a, 3, 0x20]);
  assert.deepEqual(parseTelephoneEvent(payload), { event: 11, end: true, volume: 10, duration: 800 });
  assert.equal(parseTelephoneEvent(payload.subarray(0, 3)), undefined);
});

test('knows the sixteen keys and nothing else', () => {
  assert.equal([...'0123456789*#ABCD'].map((key) => eventOfKey(key)).join(), '0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15');
  assert.equal(eventOfKey('a'), 12);
  assert.deepEqual(
    [eventOfKey('x'), eventOfKey(''), eventOfKey('12'), keyOfEvent(16)],
    [undefined, undefined, undefined, undefined],
  );
});

test('schedules a press: marker first, growing duration, the end three times', () => {
  const packets = telephoneEventPackets({ event: 5, durationMs: 100 });
  const reports = packets.map(({ payload }) => parseTelephoneEvent(payload));
  assert.deepEqual(
    packets.map(({ marker }) => marker),
    [true, false, false, false, false, false, false],
  );
  assert.deepEqual(
    packets.map(({ atMs }) => atMs),
    [0, 20, 40, 60, 80, 100, 120],
  );
  assert.deepEqual(
    reports.map((report) => report?.duration),
    [160, 320, 480, 640, 800, 800, 800],
  );
  assert.deepEqual(
    reports.map((report) => report?.end),
    [false, false, false, false, true, true, true],
  );
});

test('keeps the duration of the longest press within its 16 bits', () => {
  const packets = telephoneEventPackets({ event: 5, durationMs: 60_000 });
  assert.equal(parseTelephoneEvent(packets.at(-1)?.payload as Uint8Array)?.duration, 65_440);
});

test('hears each press once, whatever packets are lost, doubled or swapped', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 0, 3, 6], { minLength: 1 }), (order) => {
      const packets = telephoneEventPackets({ event: 7 });
      const receiver = new TelephoneEventReceiver();
      const keys = order.flatMap((index, position) => {
        const payload = packets[index]?.payload as Uint8Array;
        return [...receiver.push({ ssrc: 1, timestamp: 5, payload, arrivalMs: position * 20 })];
      });
      const last = receiver.tick(10_000);
      assert.deepEqual(
        [...keys, ...(last === undefined ? [] : [last])].map(({ key }) => key),
        ['7'],
      );
    }),
  );
});

test('ends a press whose end is missing when packets stop', () => {
  const receiver = new TelephoneEventReceiver();
  assert.deepEqual(receive(receiver, telephoneEventPackets({ event: 1 }).slice(0, 3)), []);
  assert.equal(receiver.tick(100), undefined);
  assert.deepEqual(receiver.tick(300), { key: '1', durationMs: 60 });
  assert.equal(receiver.tick(600), undefined);
});

test('ends a press whose end is missing when the next one starts', () => {
  const receiver = new TelephoneEventReceiver();
  receive(receiver, telephoneEventPackets({ event: 1 }).slice(0, 3));
  const keys = receive(receiver, telephoneEventPackets({ event: 1 }), { timestamp: 3000, startMs: 150 });
  assert.deepEqual(
    keys.map(({ key }) => key),
    ['1', '1'],
  );
});

test('tells two presses of one key apart by their timestamps', () => {
  const receiver = new TelephoneEventReceiver();
  const packets = telephoneEventPackets({ event: 9 });
  const keys = [1000, 2600, 4200].flatMap((timestamp) => receive(receiver, packets, { timestamp }));
  assert.equal(keys.length, 3);
});

test('hears a press from another source, and one whose duration counts twice as fast as time', () => {
  const receiver = new TelephoneEventReceiver();
  const doubled = telephoneEventPackets({ event: 4, durationMs: 100, clockRate: 16_000 });
  assert.deepEqual(receive(receiver, doubled, { ssrc: 0xffff }), [{ key: '4', durationMs: 200 }]);
});

test('joins the segments of a press that is longer than 16 bits of duration', () => {
  const receiver = new TelephoneEventReceiver();
  const segment = (duration: number, end: boolean): Uint8Array =>
    buildTelephoneEvent({ event: 2, end, volume: 10, duration });
  const push = (timestamp: number, payload: Uint8Array): readonly ReceivedKey[] =>
    receiver.push({ ssrc: 1, timestamp, payload, arrivalMs: 0 });
  assert.deepEqual(push(100, segment(160, false)), []);
  assert.deepEqual(push(100, segment(0xffff, false)), []);
  assert.deepEqual(push(100 + 0xffff, segment(160, false)), []);
  assert.deepEqual(push(100 + 0xffff, segment(8000, true)), [{ key: '2', durationMs: 9192 }]);
});

test('ignores events that are no keys, and never throws', () => {
  const receiver = new TelephoneEventReceiver();
  const flash = buildTelephoneEvent({ event: 16, end: true, volume: 0, duration: 160 });
  assert.deepEqual(receiver.push({ ssrc: 1, timestamp: 1, payload: flash, arrivalMs: 0 }), []);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(20), fc.uint8Array({ maxLength: 6 }))), (packets) => {
      const fresh = new TelephoneEventReceiver();
      for (const [ssrc, timestamp, payload] of packets) fresh.push({ ssrc, timestamp, payload, arrivalMs: 0 });
    }),
  );
});
