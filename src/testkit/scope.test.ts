import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atEnd } from './scope.ts';

function scopeWith(): { readonly scope: { after(end: () => Promise<void>): void }; end(): Promise<void> } {
  const hooks: (() => Promise<void>)[] = [];
  return {
    scope: { after: (hook) => void hooks.push(hook) },
    end: async () => {
      for (const hook of hooks) await hook();
    },
  };
}

test('cleans up in the reverse order, also after a failure, and tells of it', async () => {
  const { scope, end } = scopeWith();
  const done: string[] = [];
  atEnd(scope, () => void done.push('first'));
  atEnd(scope, () => Promise.reject(new Error('it hangs')));
  atEnd(scope, () => void done.push('third'));
  await assert.rejects(end(), /it hangs/);
  assert.deepEqual(done, ['third', 'first']);
});

test('scopes are apart', async () => {
  const [one, other] = [scopeWith(), scopeWith()];
  const done: string[] = [];
  atEnd(one.scope, () => void done.push('one'));
  atEnd(other.scope, () => void done.push('other'));
  await one.end();
  assert.deepEqual(done, ['one']);
});
