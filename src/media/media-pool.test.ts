import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { ChildMediaNodeOptions } from './child-node.ts';
import { openMediaPool, type MediaPool } from './media-pool.ts';
import { MediaError } from './media-error.ts';
import type { MediaLeg, MediaNode } from './media-node.ts';

const LOOPBACK = { kind: 'rtp', localAddress: '127.0.0.1' } as const;

/** A node that counts its legs and dies when told to. */
class FakeNode implements MediaNode {
  readonly id: string;
  readonly options: ChildMediaNodeOptions;
  legs = 0;
  accepting = true;
  closed = false;
  /** With the next leg. */
  dies = false;
  die: (reason: string) => void = () => undefined;

  constructor(options: ChildMediaNodeOptions) {
    this.id = options.id ?? '';
    this.options = options;
  }
  openLeg(): Promise<MediaLeg> {
    if (this.dies) {
      this.die('killed');
      return Promise.reject(new MediaError('lost', 'killed'));
    }
    this.legs += 1;
    // The pool looks at nothing but the node of a leg.
    return Promise.resolve({ node: this } as unknown as MediaLeg);
  }
  bridge(): Promise<never> {
    return Promise.reject(new MediaError('closed', 'no bridges here'));
  }
  load() {
    return { legs: this.legs, latenessMs: this.legs, accepting: this.accepting };
  }
  onLost(handler: (reason: string) => void): void {
    this.die = handler;
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

async function openPool(clock: VirtualClock, processes: number): Promise<{ pool: MediaPool; nodes: FakeNode[] }> {
  const nodes: FakeNode[] = [];
  const pool = await openMediaPool({
    clock,
    processes,
    portRange: { low: 20_001, high: 20_100 },
    open: (options) => {
      const node = new FakeNode(options);
      nodes.push(node);
      return Promise.resolve(node);
    },
  });
  return { pool, nodes };
}

describe('the pool of media processes', () => {
  it('gives each process its own ports, in whole pairs', async () => {
    const { nodes } = await openPool(new VirtualClock(), 3);
    assert.deepEqual(
      nodes.map(({ options }) => options.portRange),
      [
        { low: 20_002, high: 20_033 },
        { low: 20_034, high: 20_065 },
        { low: 20_066, high: 20_100 },
      ],
    );
  });

  it('fills the emptiest first, keeps near legs together, and passes over the full ones', async () => {
    const { pool, nodes } = await openPool(new VirtualClock(), 2);
    const first = await pool.openLeg(LOOPBACK);
    await pool.openLeg(LOOPBACK, first);
    await pool.openLeg(LOOPBACK);
    assert.deepEqual(
      nodes.map(({ legs }) => legs),
      [2, 1],
    );
    (nodes[1] as FakeNode).accepting = false;
    await pool.openLeg(LOOPBACK);
    assert.deepEqual(
      nodes.map(({ legs }) => legs),
      [3, 1],
    );
    assert.deepEqual(pool.load(), { legs: 4, latenessMs: 3, accepting: true });
  });

  it('opens a leg elsewhere when its process dies meanwhile, and refuses when all have died', async () => {
    const { pool, nodes } = await openPool(new VirtualClock(), 2);
    const [first, second] = nodes as [FakeNode, FakeNode];
    first.dies = true;
    assert.equal((await pool.openLeg(LOOPBACK)).node, second);
    second.dies = true;
    await assert.rejects(pool.openLeg(LOOPBACK), { code: 'overloaded' });
    await pool.close();
  });

  it('refuses as overloaded when no process takes a leg', async () => {
    const { pool, nodes } = await openPool(new VirtualClock(), 2);
    for (const node of nodes) node.accepting = false;
    await assert.rejects(pool.openLeg(LOOPBACK), (error) => error instanceof MediaError && error.code === 'overloaded');
    assert.equal(pool.load().accepting, false);
  });

  it('replaces a process that dies, later and later when it keeps dying', async () => {
    const clock = new VirtualClock();
    const { pool, nodes } = await openPool(clock, 1);
    const reasons: string[] = [];
    pool.onLost((reason) => reasons.push(reason));
    nodes.at(-1)?.die('first');
    assert.equal(pool.load().accepting, false);
    await clock.advance(500);
    assert.equal(nodes.length, 2);
    assert.equal(nodes[1]?.options.portRange.low, nodes[0]?.options.portRange.low);
    nodes.at(-1)?.die('second');
    await clock.advance(999);
    assert.equal(nodes.length, 2);
    await clock.advance(1);
    assert.equal(nodes.length, 3);
    await clock.advance(61_000);
    nodes.at(-1)?.die('third');
    await clock.advance(500);
    assert.equal(nodes.length, 4);
    assert.deepEqual(reasons, ['first', 'second', 'third']);
  });

  it('closes its processes, and restarts none after that', async () => {
    const clock = new VirtualClock();
    const { pool, nodes } = await openPool(clock, 2);
    nodes[0]?.die('gone');
    await pool.close();
    await clock.advance(60_000);
    assert.equal(nodes.length, 2);
    assert.equal(nodes[1]?.closed, true);
  });
});
