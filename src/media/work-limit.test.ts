import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '../base/deferred.ts';
import { SpeechError } from './speech-error.ts';
import { WorkLimit } from './work-limit.ts';

test('runs so much at once, the rest in order, and no more than may wait', async () => {
  const limit = new WorkLimit(2, 2);
  const gates = Array.from({ length: 4 }, () => deferred<void>());
  const started: number[] = [];
  const runs = gates.map((gate, index) =>
    limit.run(() => {
      started.push(index);
      return gate.promise;
    }),
  );
  assert.deepEqual(started, [0, 1]);
  await assert.rejects(
    limit.run(() => Promise.resolve()),
    (error) => error instanceof SpeechError && error.code === 'failed',
  );
  gates[1]?.resolve();
  await runs[1];
  assert.deepEqual(started, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(runs);
  assert.deepEqual(started, [0, 1, 2, 3]);
});

test('goes on after work that failed', async () => {
  const limit = new WorkLimit(1, 5);
  const failing = limit.run(() => Promise.reject(new Error('no')));
  const next = limit.run(() => Promise.resolve(7));
  await assert.rejects(failing, /no/);
  assert.equal(await next, 7);
});
