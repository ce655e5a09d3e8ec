import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { buildRtpPacket, RtpPacketView } from '../wire/rtp/packet.ts';
import { parseRtcp } from '../wire/rtp/rtcp.ts';
import { BridgeEngine } from './bridge-engine.ts';
import { LegEngine } from './leg-engine.ts';
import type { Direction, LegEvent } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { PacketPort } from './packet-port.ts';

/** A port without sockets: the other end is the test. */
class HandPort implements PacketPort {
  ready = true;
  readonly sent: Uint8Array[] = [];
  readonly sentRtcp: Uint8Array[] = [];
  deliver: (packet: Uint8Array) => void = () => undefined;
  deliverRtcp: (packet: Uint8Array) => void = () => undefined;
  sendRtp(packet: Uint8Array): void {
    this.sent.push(packet);
  }
  sendRtcp(packet: Uint8Array): void {
    this.sentRtcp.push(packet);
  }
  onRtp(handler: (packet: Uint8Array) => void): void {
    this.deliver = handler;
  }
  onRtcp(handler: (packet: Uint8Array) => void): void {
    this.deliverRtcp = handler;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  views(): RtpPacketView[] {
    return this.sent.map((packet) => {
      const view = new RtpPacketView();
      assert.equal(view.read(packet), undefined);
      return view;
    });
  }
}

const AUDIO: NegotiatedAudio = {
  codec: 'PCMU',
  payloadType: 0,
  receive: new Map([
    [0, 'PCMU'],
    [8, 'PCMA'],
  ]),
  telephoneEvent: { send: 101, receive: 101 },
  direction: 'sendrecv',
};

function openLeg(
  clock: VirtualClock,
  audio: NegotiatedAudio = AUDIO,
): { leg: LegEngine; port: HandPort; events: LegEvent[] } {
  const port = new HandPort();
  const events: LegEvent[] = [];
  const leg = new LegEngine({
    port,
    clock,
    random: seededRandom(3),
    loadSound: () => Promise.reject(new Error('no files here')),
    holding: (work) => work(),
    audioMissingMs: 10_000,
    onEvent: (event) => events.push(event),
  });
  leg.negotiated(audio);
  return { leg, port, events };
}

async function tick(
  clock: VirtualClock,
  legs: readonly LegEngine[],
  bridge?: BridgeEngine,
  skipped = 0,
): Promise<void> {
  await clock.advance(20);
  bridge?.plan();
  for (const leg of legs) leg.hear();
  bridge?.mix();
  for (const leg of legs) leg.speak(bridge?.outputFor(leg), skipped);
}

function audioPacket(index: number, options: { payloadType?: number; ssrc?: number; bytes?: number } = {}): Uint8Array {
  const { payloadType = 0, ssrc = 0xabcd, bytes = 160 } = options;
  const header = {
    payloadType,
    marker: index === 0,
    sequence: 65_530 + index,
    timestamp: 4_294_960_000 + index * bytes,
    ssrc,
  };
  return buildRtpPacket(header, new Uint8Array(bytes).fill(index & 0x7f));
}

describe('the leg engine', () => {
  it('sends one packet each tick on one time line, the first with the marker', async () => {
    const clock = new VirtualClock();
    const { leg, port } = openLeg(clock);
    for (let i = 0; i < 5; i += 1) await tick(clock, [leg]);
    const views = port.views();
    assert.deepEqual(
      views.map(({ marker }) => marker),
      [true, false, false, false, false],
    );
    for (let i = 1; i < views.length; i += 1) {
      const [before, now] = [views[i - 1] as RtpPacketView, views[i] as RtpPacketView];
      assert.equal((now.sequence - before.sequence) & 0xffff, 1);
      assert.equal((now.timestamp - before.timestamp) >>> 0, 160);
      assert.equal(now.ssrc, before.ssrc);
    }
    assert.ok(views.every((view) => view.payload().every((byte) => byte === 0xff)));
  });

  it('sends a key as one event: one timestamp, the marker first, the end three times', async () => {
    const clock = new VirtualClock();
    const { leg, port } = openLeg(clock);
    await tick(clock, [leg]);
    void leg.sendDigits('5');
    for (let i = 0; i < 12; i += 1) await tick(clock, [leg]);
    const events = port.views().filter(({ payloadType }) => payloadType === 101);
    assert.equal(new Set(events.map(({ timestamp }) => timestamp)).size, 1);
    assert.deepEqual(
      events.map(({ marker }) => marker),
      events.map((_, index) => index === 0),
    );
    const ends = events.filter((event) => ((event.payload()[1] ?? 0) & 0x80) !== 0);
    assert.equal(ends.length, 3);
    const after = port.views().at(-1) as RtpPacketView;
    assert.equal(after.payloadType, 0);
    assert.equal((after.timestamp - (port.views()[0] as RtpPacketView).timestamp) >>> 0, 12 * 160);
  });

  for (const direction of ['recvonly', 'inactive'] satisfies Direction[]) {
    it(`sends nothing while ${direction}, and opens a talk spurt after it`, async () => {
      const clock = new VirtualClock();
      const { leg, port } = openLeg(clock);
      await tick(clock, [leg]);
      leg.negotiated({ ...AUDIO, direction });
      const playback = leg.play([{ kind: 'silence', durationMs: 40 }], 1);
      for (let i = 0; i < 3; i += 1) await tick(clock, [leg]);
      assert.equal((await playback.done).outcome, 'completed');
      assert.equal(port.sent.length, 1);
      leg.negotiated(AUDIO);
      await tick(clock, [leg]);
      const [first, second] = port.views() as [RtpPacketView, RtpPacketView];
      assert.equal(second.marker, true);
      assert.equal((second.timestamp - first.timestamp) >>> 0, 4 * 160);
    });
  }

  it('moves its time line over frames that a standstill swallowed', async () => {
    const clock = new VirtualClock();
    const { leg, port } = openLeg(clock);
    await tick(clock, [leg]);
    leg.hear();
    leg.speak(undefined, 50);
    const [first, second] = port.views() as [RtpPacketView, RtpPacketView];
    assert.equal((second.timestamp - first.timestamp) >>> 0, 51 * 160);
    assert.equal((second.sequence - first.sequence) & 0xffff, 1);
  });

  it('reports itself and its peer by RTCP about every five seconds, and takes leave', async () => {
    const clock = new VirtualClock(1_000_000);
    const { leg, port } = openLeg(clock);
    for (let i = 0; i < 1_000; i += 1) {
      port.deliver(audioPacket(i));
      await tick(clock, [leg]);
    }
    assert.ok(port.sentRtcp.length >= 2 && port.sentRtcp.length <= 8, `${port.sentRtcp.length} reports in 20 s`);
    await leg.close();
    const kinds = port.sentRtcp.map((packet) => {
      const parsed = parseRtcp(packet);
      return parsed.kind === 'ok' ? parsed.value.map(({ kind }) => kind) : [];
    });
    assert.deepEqual(kinds[0], ['sender-report', 'source-description']);
    assert.deepEqual(kinds.at(-1)?.at(-1), 'bye');
    const last = parseRtcp(port.sentRtcp[0] as Uint8Array);
    assert.ok(last.kind === 'ok' && last.value[0]?.kind === 'sender-report');
    assert.equal(last.value[0].reports[0]?.ssrc, 0xabcd);
    assert.equal(last.value[0].reports[0]?.cumulativeLost, 0);
  });

  it('counts lost packets, but not key presses, as lost', async () => {
    const clock = new VirtualClock();
    const { leg, port } = openLeg(clock);
    for (let i = 0; i < 20; i += 1) {
      if (i === 5 || i === 6) continue;
      const event = { payloadType: 101, marker: false, sequence: 65_530 + i, timestamp: 99, ssrc: 0xabcd };
      port.deliver(i === 10 ? buildRtpPacket(event, Uint8Array.of(1, 0x8a, 3, 0x20)) : audioPacket(i));
    }
    assert.equal(leg.statistics().packetsLost, 2);
    assert.equal(leg.statistics().packetsReceived, 18);
  });

  it('takes key presses of another SSRC with one sequence number for all end packets', async () => {
    const clock = new VirtualClock();
    const { leg, port, events } = openLeg(clock);
    port.deliver(audioPacket(0));
    for (let repeat = 0; repeat < 3; repeat += 1) {
      const header = { payloadType: 101, marker: false, sequence: 77, timestamp: 5, ssrc: 0x1111 };
      port.deliver(buildRtpPacket(header, Uint8Array.of(11, 0x8a, 6, 0x40)));
    }
    assert.deepEqual(
      events.flatMap((event) => (event.kind === 'digit' ? event.digit : [])),
      ['#'],
    );
    assert.equal(leg.statistics().packetsLost, 0);
  });

  it('never throws on any packet', () => {
    const clock = new VirtualClock();
    const { leg, port } = openLeg(clock);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, plausible) => {
        if (plausible && bytes.length > 1) {
          bytes[0] = 0x80;
          bytes[1] = (bytes[1] ?? 0) % 3 === 0 ? 101 : 0;
        }
        port.deliver(bytes);
        port.deliverRtcp(bytes);
        leg.hear();
        leg.speak(undefined, 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('two bridged leg engines', () => {
  function openBridge(clock: VirtualClock, second: NegotiatedAudio = AUDIO) {
    const a = openLeg(clock);
    const b = openLeg(clock, second);
    const bridge = new BridgeEngine({ passDigits: true, holding: (work) => work() });
    bridge.add(a.leg, false);
    bridge.add(b.leg, false);
    return { a, b, bridge, legs: [a.leg, b.leg] };
  }

  it('passes packets on as they are, under their own SSRC, sequence and time line', async () => {
    const clock = new VirtualClock();
    const { a, b, bridge, legs } = openBridge(clock);
    await tick(clock, legs, bridge);
    b.port.sent.length = 0;
    for (let i = 0; i < 12; i += 1) {
      // A packet that is lost on the way in stays visible as a gap.
      if (i !== 4) a.port.deliver(audioPacket(i, { bytes: 240 }));
      await tick(clock, legs, bridge);
    }
    const views = b.port.views();
    assert.equal(views.length, 11);
    assert.ok(views.every((view) => view.payloadLength === 240 && view.ssrc !== 0xabcd));
    assert.deepEqual(
      views.map((view) => view.payload()[0]),
      [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11],
    );
    const steps = views.slice(1).map((view, i) => (view.sequence - (views[i] as RtpPacketView).sequence) & 0xffff);
    assert.deepEqual(steps, [1, 1, 1, 2, 1, 1, 1, 1, 1, 1]);
    const times = views.slice(1).map((view, i) => (view.timestamp - (views[i] as RtpPacketView).timestamp) >>> 0);
    assert.deepEqual(times, [240, 240, 240, 480, 240, 240, 240, 240, 240, 240]);
  });

  it('sends silence again when the other side stops, and goes on in time when it resumes', async () => {
    const clock = new VirtualClock();
    const { a, b, bridge, legs } = openBridge(clock);
    for (let i = 0; i < 5; i += 1) {
      a.port.deliver(audioPacket(i));
      await tick(clock, legs, bridge);
    }
    for (let i = 0; i < 10; i += 1) await tick(clock, legs, bridge);
    const paused = b.port.views();
    assert.ok(paused.slice(-5).every((view) => view.payload()[0] === 0xff));
    a.port.deliver(audioPacket(15));
    const resumed = b.port.views().at(-1) as RtpPacketView;
    const before = paused.at(-1) as RtpPacketView;
    assert.equal(resumed.payload()[0], 15);
    assert.equal((resumed.sequence - before.sequence) & 0xffff, 1);
    assert.equal((resumed.timestamp - before.timestamp) >>> 0, 160);
  });

  for (const { standstillMs, skipped } of [
    { standstillMs: 150, skipped: 0 },
    { standstillMs: 300, skipped: 15 },
  ]) {
    it(`adds nothing to a relayed stream whose packets waited out a standstill of ${standstillMs} ms`, async () => {
      const clock = new VirtualClock();
      const { a, b, bridge, legs } = openBridge(clock);
      await tick(clock, legs, bridge);
      b.port.sent.length = 0;
      for (let i = 0; i < 5; i += 1) {
        a.port.deliver(audioPacket(i));
        await tick(clock, legs, bridge);
      }
      // The late tick comes first, then the packets that arrived meanwhile are read.
      await clock.advance(standstillMs - 20);
      await tick(clock, legs, bridge, skipped);
      for (let i = 5; i < 30; i += 1) {
        a.port.deliver(audioPacket(i));
        if (i > 20) await tick(clock, legs, bridge);
      }
      const views = b.port.views();
      assert.deepEqual(
        views.map((view) => view.payload()[0]),
        views.map((_, index) => index),
      );
      const times = views.slice(1).map((view, i) => (view.timestamp - (views[i] as RtpPacketView).timestamp) >>> 0);
      assert.ok(
        times.every((step) => step === 160),
        times.join(' '),
      );
    });
  }

  it('hands a key on as an event of its own, and shows no loss for the packets it kept', async () => {
    const clock = new VirtualClock();
    const { a, b, bridge, legs } = openBridge(clock);
    await tick(clock, legs, bridge);
    for (let i = 0; i < 4; i += 1) {
      a.port.deliver(audioPacket(i));
      await tick(clock, legs, bridge);
    }
    const header = { payloadType: 101, marker: true, sequence: 65_534, timestamp: 9, ssrc: 0xabcd };
    a.port.deliver(buildRtpPacket(header, Uint8Array.of(7, 0x8a, 3, 0x20)));
    for (let i = 0; i < 14; i += 1) await tick(clock, legs, bridge);
    a.port.deliver(audioPacket(20));
    const views = b.port.views();
    const keys = views.filter(({ payloadType }) => payloadType === 101);
    assert.equal(new Set(keys.map(({ timestamp }) => timestamp)).size, 1);
    assert.equal(keys[0]?.payload()[0], 7);
    const steps = views.slice(1).map((view, i) => (view.sequence - (views[i] as RtpPacketView).sequence) & 0xffff);
    assert.ok(
      steps.every((step) => step === 1),
      steps.join(),
    );
  });

  it('decodes and encodes between two codecs', async () => {
    const clock = new VirtualClock();
    const { a, b, bridge, legs } = openBridge(clock, { ...AUDIO, codec: 'PCMA', payloadType: 8 });
    for (let i = 0; i < 8; i += 1) {
      a.port.deliver(audioPacket(i));
      await tick(clock, legs, bridge);
    }
    assert.ok(b.port.views().every((view) => view.payloadType === 8 && view.payloadLength === 160));
  });

  it('does not pass on a codec that the other side did not agree to', async () => {
    const clock = new VirtualClock();
    const { a, b, bridge, legs } = openBridge(clock);
    for (let i = 0; i < 8; i += 1) {
      a.port.deliver(audioPacket(i, { payloadType: i < 4 ? 0 : 8 }));
      await tick(clock, legs, bridge);
    }
    assert.ok(b.port.views().every((view) => view.payloadType === 0));
    assert.ok(b.port.views().length >= 8);
  });
});
