import { describe, it, type TestContext } from 'node:test';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import type { LegOptions, MediaNode } from './media-node.ts';
import type { OpenMediaWorld, Promised } from './test/compliance-world.ts';
import { bridging } from './test/promises-of-bridges.ts';
import { negotiating, limits, addressesAndPorts } from './test/promises-of-negotiation.ts';
import { playing } from './test/promises-of-playing.ts';
import { recording } from './test/promises-of-recording.ts';
import { talking, digits } from './test/promises-of-talking.ts';

export interface MediaComplianceOptions {
  readonly name: string;
  /** The kind of leg that is opened. */
  readonly leg: LegOptions;
  /** Tests at once. */
  readonly concurrency: number;
}

/** What every MediaNode promises, whatever its legs are. */
export function mediaNodeCompliance({ name, leg, concurrency }: MediaComplianceOptions, open: OpenMediaWorld): void {
  describe(name, { concurrency }, () => {
    const promise: Promised = (title, test, options = {}) => {
      it(title, async (context) => {
        const folder = temporaryFolder(context, 'media');
        const world = await open(context, options);
        await test({ ...world, leg, node: closingLegs(context, world.node) }, folder);
      });
    };
    talking(promise);
    digits(promise);
    negotiating(promise);
    playing(promise);
    recording(promise);
    bridging(promise);
    limits(promise);
    if (leg.kind === 'rtp') addressesAndPorts(promise, leg);
  });
}

/** The node, its legs closed after the test: others share it. */
function closingLegs(context: TestContext, node: MediaNode): MediaNode {
  return {
    id: node.id,
    async openLeg(options) {
      const leg = await node.openLeg(options);
      context.after(async () => void (await leg.close()));
      return leg;
    },
    bridge: (legs, options) => node.bridge(legs, options),
    load: () => node.load(),
    onLost: (handler) => node.onLost(handler),
    close: () => node.close(),
  };
}
