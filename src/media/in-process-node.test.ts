import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { seededRandom } from '../base/random.ts';
import { mediaNodeCompliance } from './compliance.ts';
import type { MediaWorld, OpenMediaWorld } from './test/compliance-world.ts';
import { DEFAULT_MAX_BUSY, LIGHT_LEGS, openInProcessMediaNode } from './in-process-node.ts';
import { MediaError } from './media-error.ts';
import { joinFrames } from './test/join-frames.ts';
import { MemoryDatagrams } from './test/memory-datagrams.ts';
import type { Occupancy } from './occupancy.ts';
import type { Ticker } from './ticker.ts';

const LOOPBACK = { kind: 'rtp', localAddress: '127.0.0.1' } as const;

const openVirtual =
  (join?: MediaWorld['join']): OpenMediaWorld =>
  (context, { portPairs = 50, ...limits }) => {
    const clock = new VirtualClock(1_000_000);
    const node = openInProcessMediaNode({
      ...limits,
      clock,
      random: seededRandom(7),
      network: new MemoryDatagrams(),
      portRange: { low: 20_000, high: 20_000 + 2 * portPairs - 1 },
    });
    context.after(() => node.close());
    return Promise.resolve({
      node,
      ...(join === undefined ? {} : { join }),
      settle: (promise) => clock.runUntil(promise),
      pass: (ms) => clock.advance(ms),
      leastShare: 1,
    });
  };

mediaNodeCompliance(
  { name: 'media node in this process, in virtual time', leg: LOOPBACK, concurrency: 1 },
  openVirtual(),
);
mediaNodeCompliance(
  { name: 'legs whose packets are messages, in virtual time', leg: { kind: 'frames' }, concurrency: 1 },
  openVirtual(joinFrames),
);

it('refuses a browser where no process is set apart for its library', async () => {
  const node = openInProcessMediaNode({ network: new MemoryDatagrams(), portRange: { low: 20_000, high: 20_099 } });
  await assert.rejects(
    node.openLeg({ kind: 'webrtc', localAddress: '127.0.0.1' }),
    (error) => error instanceof MediaError && error.code === 'no-webrtc',
  );
  await node.close();
});

describe('the load of a media node', () => {
  /** A beat that is late as the test says. */
  function openLate(lateness: { p95: number; p99: number }) {
    const ticker: Ticker = {
      start: () => undefined,
      stop: () => undefined,
      latenessMs: (share) => (share > 0.95 ? lateness.p99 : lateness.p95),
    };
    return openInProcessMediaNode({ ticker, network: new MemoryDatagrams(), portRange: { low: 20_000, high: 20_099 } });
  }

  it('is refused as overload when the beat is late for long, unless the node has hardly any', async () => {
    const node = openLate({ p95: 40, p99: 90 });
    for (let legs = 0; legs < LIGHT_LEGS; legs += 1) await node.openLeg(LOOPBACK);
    assert.deepEqual(node.load(), { legs: LIGHT_LEGS, latenessMs: 90, accepting: false });
    await assert.rejects(node.openLeg(LOOPBACK), (error) => error instanceof MediaError && error.code === 'overloaded');
    await node.close();
  });

  it('is refused as overload when the process is full, for a call that is there last', async () => {
    let share = 0.5;
    const occupancy: Occupancy = { sample: () => undefined, share: () => share };
    const ports = { low: 20_000, high: 20_099 };
    const node = openInProcessMediaNode({ occupancy, network: new MemoryDatagrams(), portRange: ports });
    for (let legs = 0; legs < LIGHT_LEGS; legs += 1) await node.openLeg(LOOPBACK);
    assert.equal(node.load().accepting, true);
    share = DEFAULT_MAX_BUSY + 0.01;
    assert.equal(node.load().accepting, false);
    await assert.rejects(node.openLeg(LOOPBACK), (error) => error instanceof MediaError && error.code === 'overloaded');
    await node.openLeg({ ...LOOPBACK, joining: true });
    share = 0.95;
    await assert.rejects(node.openLeg({ ...LOOPBACK, joining: true }), /95 % busy; try again later$/);
    await node.close();
  });

  it('does not break a call in two: a further leg is taken by a node that is late', async () => {
    const node = openLate({ p95: 40, p99: 90 });
    for (let legs = 0; legs < LIGHT_LEGS; legs += 1) await node.openLeg(LOOPBACK);
    await node.openLeg({ ...LOOPBACK, joining: true });
    assert.equal(node.load().legs, LIGHT_LEGS + 1);
    await node.close();
  });

  it('is borne when the machine stood still for a moment', async () => {
    const node = openLate({ p95: 5, p99: 90 });
    await node.openLeg(LOOPBACK);
    assert.deepEqual(node.load(), { legs: 1, latenessMs: 90, accepting: true });
    await node.close();
  });
});
