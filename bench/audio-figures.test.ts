import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audioFigures, generatorLateness, NO_MARK, type Capture, type HeardPacket } from './audio-figures.ts';

const WINDOW_MS = 1000;
const DELAY_MS = 2;
const LISTENERS = [{ leg: 1, hears: 0 }];

/** Leg 0 plays 50 packets (and some after the window); leg 1 hears what `change` leaves of them, 2 ms later. */
function capture(change: (packet: HeardPacket) => HeardPacket | undefined): Capture {
  const sent = Array.from({ length: 60 }, (_, index) => ({
    leg: 0,
    index,
    atMs: 20 * index + 5,
    dueMs: 20 * index + 4,
  }));
  const heard = sent.map(({ index, atMs }): HeardPacket => {
    const timestamp = (0xffff_f000 + 160 * index) >>> 0;
    return { leg: 1, atMs: atMs + DELAY_MS, payloadType: 0, timestamp, source: 0, index };
  });
  return { windowMs: WINDOW_MS, sent, heard: heard.flatMap((packet) => change(packet) ?? []) };
}

function figures(change: (packet: HeardPacket) => HeardPacket | undefined) {
  return audioFigures(capture(change), LISTENERS);
}

test('a clean stream has no gap, no loss and no lateness, over the wrap of its timestamps', () => {
  const heard = figures((packet) => packet);
  const { frames, gaps, sent, lost, strangers, packetsPerSecond } = heard;
  assert.deepEqual({ frames, gaps, sent, lost, strangers, packetsPerSecond }, { ...CLEAN, packetsPerSecond: 50 });
  assert.equal(heard.lateMs.max, 0);
  assert.equal(heard.delayMs.max, DELAY_MS);
});

const CLEAN = { frames: 50, gaps: 0, sent: 50, lost: 0, strangers: 0 };

test('three packets that are left out are three gaps and three lost', () => {
  const heard = figures((packet) => (packet.index >= 20 && packet.index < 23 ? undefined : packet));
  assert.equal(heard.gaps, 3);
  assert.equal(heard.lost, 3);
});

test('a packet that comes 100 ms late is a gap to a listener, but not lost', () => {
  const heard = figures((packet) => (packet.index === 20 ? { ...packet, atMs: packet.atMs + 100 } : packet));
  assert.equal(heard.gaps, 1);
  assert.equal(heard.lost, 0);
  assert.equal(heard.lateMs.max, 100);
  assert.equal(heard.lateMs.p50, 0);
  assert.equal(heard.delayMs.max, 102);
});

test('a packet that comes 40 ms late is late, and no gap', () => {
  const heard = figures((packet) => (packet.index === 20 ? { ...packet, atMs: packet.atMs + 40 } : packet));
  assert.equal(heard.gaps, 0);
  assert.equal(heard.lateMs.max, 40);
});

test('a stream on the beat whose sound is not what was played is loss without a gap', () => {
  const silent = { source: NO_MARK, index: NO_MARK };
  const heard = figures((packet) => (packet.index % 2 === 0 ? { ...packet, ...silent } : packet));
  assert.equal(heard.gaps, 0);
  assert.equal(heard.lost, 25);
});

test('the sound of another call is told, and does not stand for what is missing', () => {
  const heard = figures((packet) => ({ ...packet, source: 7 }));
  assert.equal(heard.strangers, 60);
  assert.equal(heard.lost, 50);
});

test('a stream that stops in the middle, or never begins, is gaps to the end of the window', () => {
  assert.equal(figures((packet) => (packet.index >= 20 ? undefined : packet)).gaps, 30);
  assert.equal(figures((packet) => (packet.index < 20 ? undefined : packet)).gaps, 20);
  const nothing = figures(() => undefined);
  assert.deepEqual([nothing.gaps, nothing.frames, nothing.lost], [50, 50, 50]);
});

test('reports to the port above (RTCP) and key presses are no sound', () => {
  const heard = figures((packet) => ({ ...packet, payloadType: packet.index === 20 ? 72 : 0 }));
  assert.equal(heard.gaps, 1);
});

test('the lateness of the generator is measured against its own beat', () => {
  assert.equal(generatorLateness(capture((packet) => packet)).max, 1);
});
