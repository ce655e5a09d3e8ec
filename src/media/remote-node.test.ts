import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { RemoteNode } from './remote-node.ts';

suite('a media node in another process', () => {
  test('that dies while a leg opens has no legs, and never fewer', async () => {
    const node = new RemoteNode({
      id: 'm1',
      clock: new VirtualClock(0),
      send: () => undefined,
      end: () => Promise.resolve(),
    });
    const opening = node.openLeg({ kind: 'frames' });
    assert.equal(node.load().legs, 1);
    node.lose('killed');
    await assert.rejects(opening, { code: 'lost' });
    assert.equal(node.load().legs, 0);
  });
});
