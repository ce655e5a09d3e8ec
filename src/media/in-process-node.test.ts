import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { seededRandom } from '../base/random.ts';
import { mediaNodeCompliance } from './compliance.ts';
import { LIGHT_LEGS, openInProcessMediaNode } from './in-process-node.ts';
import { MediaError } from './media-error.ts';
import { MemoryDatagrams } from './test/memory-datagrams.ts';
import type { Ticker } from './ticker.ts';

mediaNodeCompliance(
  'media node in this process, in virtual time',
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
      settle: (promise) => clock.runUntil(promise),
      pass: (ms) => clock.advance(ms),
      leastShare: 1,
    });
  },
  1,
);

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
    const leg = { kind: 'rtp', localAddress: '127.0.0.1' } as const;
    for (let legs = 0; legs < LIGHT_LEGS; legs += 1) await node.openLeg(leg);
    assert.deepEqual(node.load(), { legs: LIGHT_LEGS, latenessMs: 90, accepting: false });
    await assert.rejects(node.openLeg(leg), (error) => error instanceof MediaError && error.code === 'overloaded');
    await node.close();
  });

  it('is borne when the machine stood still for a moment', async () => {
    const node = openLate({ p95: 5, p99: 90 });
    await node.openLeg({ kind: 'rtp', localAddress: '127.0.0.1' });
    assert.deepEqual(node.load(), { legs: 1, latenessMs: 90, accepting: true });
    await node.close();
  });
});
