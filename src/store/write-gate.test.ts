import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { WriteGate } from './write-gate.ts';

test('a store that does not answer is waited for by a bounded number of writes, which all go through after it', async () => {
  const stuck = Promise.withResolvers<undefined>();
  let committed = 0;
  const gate = new WriteGate(
    async (group) => {
      await stuck.promise;
      committed += group.length;
      return group.map(() => ({ kind: 'done', results: [] }));
    },
    new VirtualClock(),
    3,
  );
  const write = (): Promise<unknown> => gate.submit([{ sql: 'x', parameters: [] }]);
  const first = write();
  // Taken by the commit that hangs; what follows waits.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const waiting = [write(), write(), write()];
  await assert.rejects(write(), { code: 'overloaded', message: /3 writes wait/ });
  stuck.resolve(undefined);
  await Promise.all([first, ...waiting]);
  assert.equal(committed, 4);
  await write();
});
