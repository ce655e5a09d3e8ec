import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mixer } from './mixer.ts';

test('lets each party hear all the others and never itself', () => {
  const outputs = [new Int16Array(2), new Int16Array(2), new Int16Array(2)];
  new Mixer(2).mixMinusOwn([Int16Array.of(1, 2), undefined, Int16Array.of(100, -200)], outputs);
  assert.deepEqual(
    outputs.map((output) => [...output]),
    [
      [100, -200],
      [101, -198],
      [1, 2],
    ],
  );
});

test('cuts what is too loud instead of wrapping it', () => {
  const loud = Int16Array.of(30_000, -30_000);
  const output = new Int16Array(2);
  new Mixer(2).mix([loud, loud, loud], output);
  assert.deepEqual([...output], [32_767, -32_768]);
});

test('takes a party out of a sum that was too loud before it is cut', () => {
  const outputs = [new Int16Array(1), new Int16Array(1)];
  new Mixer(1).mixMinusOwn([Int16Array.of(30_000), Int16Array.of(20_000)], outputs);
  assert.deepEqual(
    outputs.map((output) => output[0]),
    [20_000, 30_000],
  );
});

test('forgets the frame before', () => {
  const mixer = new Mixer(1);
  const output = new Int16Array(1);
  mixer.mix([Int16Array.of(500)], output);
  mixer.mix([], output);
  assert.equal(output[0], 0);
});
