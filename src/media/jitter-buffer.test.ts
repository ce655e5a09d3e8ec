import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomUnit, seededRandom } from '../base/random.ts';
import { amplitudeOf } from '../wire/sound/goertzel.ts';
import { JitterBuffer, type JitterPacket, type PullOutcome } from './jitter-buffer.ts';

const RATE = 8000;
const FRAME = 160;
const TONE = 500;

interface Sent extends JitterPacket {
  readonly index: number;
}

interface StreamOptions {
  readonly packetMs?: number;
  readonly count?: number;
  readonly startMs?: number;
  readonly ssrc?: number;
  readonly firstSequence?: number;
  readonly firstTimestamp?: number;
  /** Extra delay of each packet. */
  readonly delayMs?: (index: number) => number;
  /** Of the sender's clock against ours: 1.001 sends 0.1 % too fast. */
  readonly speed?: number;
}

/** Packets of a steady 500 Hz tone. */
function stream(options: StreamOptions = {}): Sent[] {
  const { packetMs = 20, count = 250, startMs = 1000, ssrc = 1, firstSequence = 65_500, speed = 1 } = options;
  const { firstTimestamp = 0xffff_f000, delayMs = () => 0 } = options;
  const length = (packetMs * RATE) / 1000;
  return Array.from({ length: count }, (_, index) => ({
    index,
    ssrc,
    sequence: (firstSequence + index) & 0xffff,
    timestamp: (firstTimestamp + index * length) >>> 0,
    marker: index === 0,
    arrivalMs: startMs + (index * packetMs) / speed + delayMs(index),
    samples: Int16Array.from({ length }, (_, i) => tone(index * length + i)),
  }));
}

function tone(sample: number): number {
  return Math.trunc(8000 * Math.sin((2 * Math.PI * TONE * sample) / RATE)) | 0;
}

interface Played {
  readonly outcomes: PullOutcome[];
  readonly sound: Int16Array;
}

/** Delivers packets by arrival and pulls every 20 ms from the first arrival on, until `endMs`. */
function play(buffer: JitterBuffer, packets: readonly JitterPacket[], endMs = 1000 + 250 * 20): Played {
  const queue = [...packets].sort((a, b) => a.arrivalMs - b.arrivalMs);
  const outcomes: PullOutcome[] = [];
  const frames: Int16Array[] = [];
  let next = 0;
  for (let nowMs = 1003; nowMs < endMs; nowMs += 20) {
    for (; next < queue.length && (queue[next] as Sent).arrivalMs <= nowMs; next++) buffer.push(queue[next] as Sent);
    const frame = new Int16Array(FRAME);
    outcomes.push(buffer.pull(nowMs, frame));
    frames.push(frame);
  }
  const sound = new Int16Array(frames.length * FRAME);
  frames.forEach((frame, index) => sound.set(frame, index * FRAME));
  return { outcomes, sound };
}

function count(outcomes: readonly PullOutcome[], wanted: PullOutcome): number {
  return outcomes.filter((outcome) => outcome === wanted).length;
}

/** Largest step between neighbours; a clean 500 Hz tone of amplitude 8000 has 3061. */
function largestStep(sound: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < sound.length; i++)
    largest = Math.max(largest, Math.abs((sound[i] as number) - (sound[i - 1] as number)));
  return largest;
}

for (const packetMs of [10, 20, 30, 40, 60]) {
  test(`plays packets of ${packetMs} ms whole and in order`, () => {
    const buffer = new JitterBuffer();
    const { outcomes, sound } = play(buffer, stream({ packetMs, count: 5000 / packetMs }));
    const first = outcomes.indexOf('audio');
    assert.ok(first <= 5, `first sound in frame ${first}`);
    assert.equal(count(outcomes, 'concealed'), 0);
    assert.ok(largestStep(sound) <= 3100);
    const start = sound.findIndex((value) => value !== 0) - 1;
    for (let i = 0; i < 4 * RATE; i++) assert.equal(sound[start + i], tone(i));
    const { packetsLost, packetsLate, packetsDuplicate, jitterMs } = buffer.statistics();
    assert.deepEqual([packetsLost, packetsLate, packetsDuplicate, jitterMs < 0.01], [0, 0, 0, true]);
  });
}

test('puts packets that overtook each other back in order, and drops repeats', () => {
  const buffer = new JitterBuffer();
  const packets = stream({ delayMs: (index) => (index % 5 === 2 ? 25 : 0) });
  const repeats = packets
    .filter(({ index }) => index % 7 === 0)
    .map((packet) => ({ ...packet, arrivalMs: packet.arrivalMs + 1 }));
  const { outcomes, sound } = play(buffer, [...packets, ...repeats]);
  // The first of them come too late: nothing had told how long to wait.
  assert.equal(count(outcomes.slice(25), 'concealed'), 0);
  assert.ok(largestStep(sound) <= 4000, String(largestStep(sound)));
  assert.equal(buffer.statistics().packetsDuplicate, repeats.length);
  assert.equal(buffer.statistics().packetsLost, 0);
});

test('conceals lost packets without a click, and counts them', () => {
  const buffer = new JitterBuffer();
  const lost = new Set([40, 80, 81, 120, 200]);
  const { outcomes, sound } = play(
    buffer,
    stream().filter(({ index }) => !lost.has(index)),
  );
  assert.equal(buffer.statistics().packetsLost, lost.size);
  assert.ok(count(outcomes, 'concealed') >= lost.size && count(outcomes, 'concealed') <= 2 * lost.size);
  assert.ok(largestStep(sound) < 5000, String(largestStep(sound)));
  // Five frames of 250 are guessed and faded, no more.
  assert.ok(amplitudeOf(TONE, sound.subarray(RATE, 4 * RATE), RATE) > 7500);
});

test('waits longer when packets come unevenly, and shorter again when they do not', () => {
  const buffer = new JitterBuffer();
  const random = seededRandom(11);
  const packets = stream({ count: 1000, delayMs: (index) => (index < 500 ? randomUnit(random) * 120 : 0) });
  const uneven = play(buffer, packets.slice(0, 500), 1000 + 500 * 20);
  assert.ok(buffer.statistics().targetMs > 100, String(buffer.statistics().targetMs));
  assert.ok(count(uneven.outcomes.slice(100), 'concealed') < 20, String(count(uneven.outcomes, 'concealed')));
  const calm = new JitterBuffer();
  const all = play(calm, packets, 1000 + 1000 * 20);
  assert.ok(calm.statistics().targetMs <= 45);
  assert.equal(count(all.outcomes.slice(700), 'concealed'), 0);
  assert.ok(largestStep(all.sound.subarray(700 * FRAME)) < 3600, String(largestStep(all.sound.subarray(700 * FRAME))));
});

for (const speed of [1.0005, 0.9995]) {
  test(`follows a sender whose clock runs at ${speed} without losing sound`, () => {
    const buffer = new JitterBuffer();
    const { outcomes, sound } = play(buffer, stream({ count: 6000, speed }), 1000 + 119_000);
    assert.equal(count(outcomes.slice(10), 'concealed'), 0);
    assert.equal(count(outcomes.slice(10), 'silence'), 0);
    assert.equal(buffer.statistics().packetsLate, 0);
    assert.ok(largestStep(sound) < 4200, String(largestStep(sound)));
  });
}

test('is silent in a pause and plays what comes after it', () => {
  const buffer = new JitterBuffer();
  const packets = stream()
    .filter(({ index }) => index < 50 || index >= 150)
    // A pause is no loss: sequence numbers go on, timestamps jump.
    .map((packet) =>
      packet.index < 150
        ? packet
        : { ...packet, sequence: (packet.sequence - 100) & 0xffff, marker: packet.index === 150 },
    );
  const { outcomes, sound } = play(buffer, packets);
  assert.equal(buffer.statistics().packetsLost, 0);
  assert.ok(count(outcomes, 'concealed') <= 4);
  assert.equal(count(outcomes.slice(60, 148), 'silence'), 88);
  assert.ok(sound.subarray(60 * FRAME, 148 * FRAME).every((value) => value === 0));
  assert.equal(count(outcomes.slice(160, 240), 'audio'), 80);
});

test("takes up the sound at once when a pause has frozen the sender's timestamps", () => {
  const buffer = new JitterBuffer();
  const packets = stream().map((packet) =>
    packet.index < 50 ? packet : { ...packet, arrivalMs: packet.arrivalMs + 300, marker: packet.index === 50 },
  );
  const { outcomes } = play(buffer, packets);
  assert.equal(count(outcomes.slice(75, 240), 'audio'), 165);
  assert.equal(buffer.statistics().packetsLate, 0);
});

test('changes over to a new source within 60 ms, and ignores single packets of a stranger', () => {
  const buffer = new JitterBuffer();
  const packets = [
    ...stream({ count: 100 }),
    ...stream({ count: 100, ssrc: 2, startMs: 3000, firstSequence: 5, firstTimestamp: 77 }),
    ...stream({ count: 200, ssrc: 9, packetMs: 20, startMs: 1000 }).filter(({ index }) => index % 40 === 39),
  ];
  const { outcomes } = play(buffer, packets, 4900);
  assert.equal(buffer.statistics().ssrc, 2);
  assert.ok(count(outcomes.slice(5), 'audio') > 175, String(count(outcomes, 'audio')));
  assert.equal(buffer.statistics().packetsLost, 0);
});

test('goes on after a stall of 300 ms that ends in a burst', () => {
  const buffer = new JitterBuffer();
  const packets = stream({ delayMs: (index) => (index >= 100 && index < 115 ? (115 - index) * 20 : 0) });
  const { outcomes } = play(buffer, packets);
  assert.equal(buffer.statistics().packetsLost, 0);
  assert.equal(count(outcomes.slice(130, 240), 'audio'), 110);
});

test('measures jitter as RFC 3550 A.8 does', () => {
  const buffer = new JitterBuffer();
  // Packets alternate between 0 and 8 ms of delay: every difference is 8 ms, which the average approaches.
  play(buffer, stream({ delayMs: (index) => (index % 2) * 8 }));
  assert.ok(Math.abs(buffer.statistics().jitterMs - 8) < 0.1, String(buffer.statistics().jitterMs));
});

test('counts the wraps of sequence numbers for receiver reports', () => {
  const buffer = new JitterBuffer();
  play(buffer, stream({ firstSequence: 65_500, count: 100 }));
  assert.equal(buffer.statistics().highestSequence, 65_500 + 99);
});

test('holds at most its memory when nobody pulls, and plays the newest then', () => {
  const buffer = new JitterBuffer();
  for (const packet of stream({ count: 2000 })) buffer.push(packet);
  const frame = new Int16Array(FRAME);
  assert.equal(buffer.pull(1000 + 2000 * 20, frame), 'audio');
});

test('refuses packets that are empty or absurdly long', () => {
  const buffer = new JitterBuffer();
  const [packet] = stream({ count: 1 });
  assert.equal(buffer.push({ ...(packet as Sent), samples: new Int16Array(0) }), 'unusable');
  assert.equal(buffer.push({ ...(packet as Sent), samples: new Int16Array(1601) }), 'unusable');
  assert.equal(buffer.pull(0, new Int16Array(FRAME)), 'silence');
});

test('never throws and always fills the frame, whatever arrives when', () => {
  const packet = fc.record({
    ssrc: fc.nat(2),
    sequence: fc.oneof(fc.nat(20), fc.nat(65_535)),
    timestamp: fc.oneof(fc.nat(4000), fc.nat(0xffff_ffff)),
    marker: fc.boolean(),
    stepMs: fc.oneof(fc.nat(40), fc.nat(5000)),
    length: fc.integer({ min: 1, max: 1700 }),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 80 }), (packets) => {
      const buffer = new JitterBuffer();
      const frame = new Int16Array(FRAME);
      let nowMs = 0;
      for (const { stepMs, length, ...rest } of packets) {
        nowMs += stepMs;
        buffer.push({ ...rest, arrivalMs: nowMs, samples: new Int16Array(length).fill(1000) });
        buffer.pull(nowMs, frame);
        assert.ok(frame.every((value) => Math.abs(value) <= 1000));
      }
      const { packetsLost, jitterMs, targetMs } = buffer.statistics();
      assert.ok(packetsLost >= 0 && jitterMs >= 0 && targetMs <= 400);
    }),
    { numRuns: 200 },
  );
});
