import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { MAX_VALUE_BYTES } from '../../directory/directory.ts';
import { MemoryDirectory } from '../../directory/memory.ts';
import { bindingId, bindingKey, type Binding } from './binding.ts';
import { StoredBindings } from './stored-bindings.ts';

const AOR = 'sip:1001@home.test';

function scene(maxRemembered?: number) {
  const clock = new VirtualClock(1_000_000);
  const directory = new MemoryDirectory({ clock, logger: silentLogger });
  const bindings = new StoredBindings({ directory, clock, ...(maxRemembered !== undefined && { maxRemembered }) });
  const binding = (contact: string, seconds = 60): Binding => ({
    ...{ contact, q: 1, callId: 'c', cseq: 1, path: [] },
    expiresAt: clock.now() + seconds * 1000,
  });
  return { clock, directory, bindings, binding };
}

test('a binding that was written here is given back as it is, one of another hand is read', async () => {
  const { directory, bindings, binding } = scene();
  const ours = binding('sip:a@10.0.0.2');
  await bindings.put(AOR, ours);
  assert.equal((await bindings.get(AOR))[0]?.binding, ours);
  const theirs = { ...ours, cseq: 2 };
  await directory.put(bindingKey(AOR), bindingId(ours), JSON.stringify(theirs), 60_000);
  assert.deepEqual(
    (await bindings.get(AOR)).map((each) => each.binding),
    [theirs],
  );
});

test('what is replaced, removed, expired or refused is not remembered', async () => {
  const { clock, bindings, binding } = scene();
  await bindings.put(AOR, binding('sip:a@10.0.0.2'));
  await bindings.put(AOR, { ...binding('sip:a@10.0.0.2'), cseq: 2 });
  assert.equal(bindings.remembered, 1, 'replaced');
  await bindings.remove(AOR, bindingId(binding('sip:a@10.0.0.2')));
  assert.equal(bindings.remembered, 0, 'removed');
  await assert.rejects(bindings.put(AOR, binding(`sip:${'x'.repeat(MAX_VALUE_BYTES)}@10.0.0.2`)), {
    code: 'too-large',
  });
  assert.equal(bindings.remembered, 0, 'refused');
  for (const contact of ['sip:b@10.0.0.2', 'sip:c@10.0.0.2']) await bindings.put(AOR, binding(contact));
  await clock.advance(60_000);
  await bindings.put(AOR, binding('sip:d@10.0.0.2'));
  assert.equal(bindings.remembered, 1, 'expired');
});

test('more than it may remember are kept all the same, and the latest need no parsing', async () => {
  const { bindings, binding } = scene(2);
  const all = ['sip:a@10.0.0.2', 'sip:b@10.0.0.2', 'sip:c@10.0.0.2'].map((contact) => binding(contact));
  for (const each of all) await bindings.put(AOR, each);
  assert.equal(bindings.remembered, 2);
  const stored = (await bindings.get(AOR)).map((each) => each.binding);
  assert.deepEqual(stored, all);
  assert.equal(stored[2], all[2]);
});
