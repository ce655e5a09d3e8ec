import { VirtualClock } from '../base/virtual-clock.ts';
import { seededRandom } from '../base/random.ts';
import { mediaNodeCompliance } from './compliance.ts';
import { openInProcessMediaNode } from './in-process-node.ts';
import { MemoryDatagrams } from './test/memory-datagrams.ts';

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
