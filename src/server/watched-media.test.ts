import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaError } from '../media/media-error.ts';
import type { LegOptions, MediaLeg, MediaNode } from '../media/media-node.ts';
import type { MediaPool } from '../media/media-pool.ts';
import { Limits, type LimitView } from './limits.ts';
import { WatchedMedia } from './watched-media.ts';

const OPTIONS: LegOptions = { kind: 'rtp', localAddress: '127.0.0.1' };

/** A node of which only the end is of interest. */
class MortalNode {
  readonly handlers: ((reason: string) => void)[] = [];

  onLost(handler: (reason: string) => void): void {
    this.handlers.push(handler);
  }

  die(reason: string): void {
    for (const handler of this.handlers) handler(reason);
  }
}

/** Opens each leg on the next of its nodes. */
function world(...nodes: readonly MortalNode[]): {
  readonly media: WatchedMedia;
  readonly lost: string[];
  readonly nearby: (MediaLeg | undefined)[];
} {
  const lost: string[] = [];
  const nearby: (MediaLeg | undefined)[] = [];
  let next = 0;
  const pool = {
    openLeg: async (_options: LegOptions, near?: MediaLeg) => {
      nearby.push(near);
      return { node: nodes[next++ % nodes.length] } as unknown as MediaLeg;
    },
  } as unknown as MediaPool;
  const media = new WatchedMedia(pool, new Limits(), (node: MediaNode, reason) =>
    lost.push(`${nodes.indexOf(node as unknown as MortalNode)} ${reason}`),
  );
  return { media, lost, nearby };
}

test('the end of a node is told once, however many legs it had', async () => {
  const node = new MortalNode();
  const { media, lost } = world(node);
  for (let leg = 0; leg < 3; leg++) await media.openLeg(OPTIONS);
  node.die('killed');
  assert.deepEqual(lost, ['0 killed']);
});

test('each node is watched for itself', async () => {
  const nodes = [new MortalNode(), new MortalNode()];
  const { media, lost } = world(...nodes);
  await media.openLeg(OPTIONS);
  await media.openLeg(OPTIONS);
  nodes[1]?.die('killed');
  assert.deepEqual(lost, ['1 killed']);
});

test('a leg that is to be near another is asked for so', async () => {
  const { media, nearby } = world(new MortalNode());
  const first = await media.openLeg(OPTIONS);
  await media.openLeg(OPTIONS, first);
  assert.deepEqual(nearby, [undefined, first]);
});

test('a pool that refuses is heard, and counted under what it refuses by', async () => {
  const refusals = ['overloaded', 'no-ports', 'overloaded', 'lost'] as const;
  const limits = new Limits();
  for (const code of refusals) {
    const pool = { openLeg: () => Promise.reject(new MediaError(code, 'no')) } as unknown as MediaPool;
    await assert.rejects(new WatchedMedia(pool, limits, () => undefined).openLeg(OPTIONS), { code });
  }
  const config = {} as Parameters<Limits['view']>[0]['config'];
  const view = await limits.view({ config, sipPort: 1, callsWaiting: () => Promise.resolve(0) });
  const counted = view.limits
    .filter(({ refused }) => refused > 0)
    .map(({ name, refused }: LimitView) => [name, refused]);
  assert.deepEqual(counted, [
    ['media-load', 2],
    ['rtp-ports', 1],
  ]);
});
