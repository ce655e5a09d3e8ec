import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from './deferred.ts';
import { TaskGroup } from './lifecycle.ts';

describe('TaskGroup', () => {
  it('settles only when everything is done, also what its work started', async () => {
    const group = new TaskGroup(() => assert.fail('no failure was expected'));
    const gate = deferred<void>();
    const seen: string[] = [];
    group.run(async () => {
      await gate.promise;
      group.run(async () => {
        await Promise.resolve();
        seen.push('inner');
      });
    });
    assert.equal(group.size, 1);
    const settled = group.settled().then(() => seen.push('settled'));
    gate.resolve();
    await settled;
    assert.deepEqual(seen, ['inner', 'settled']);
    assert.equal(group.size, 0);
  });

  it('tells each failure once and goes on', async () => {
    const failures: unknown[] = [];
    const group = new TaskGroup((error) => failures.push(error));
    group.run(() => Promise.reject(new Error('one')));
    group.run(async () => {
      throw new Error('two');
    });
    await group.settled();
    assert.deepEqual(failures.map(String), ['Error: one', 'Error: two']);
  });

  it('settles at once when nothing runs', async () => {
    await new TaskGroup(() => undefined).settled();
  });
});
