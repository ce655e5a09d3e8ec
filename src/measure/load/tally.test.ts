import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_OUTCOMES, Tally } from './tally.ts';

test('counts failures by their label, the most frequent first, and what has no end as unfinished', () => {
  const tally = new Tally();
  for (let index = 0; index < 6; index += 1) tally.begin();
  tally.took(1_000, 1_020);
  tally.end({ ok: true });
  tally.end({ ok: false, label: '486 Busy' });
  for (let index = 0; index < 2; index += 1) tally.end({ ok: false, label: '503' });
  const { asked, done, failed, unfinished, failures, latencyMs } = tally.view();
  assert.deepEqual([asked, done, failed, unfinished], [6, 1, 3, 2]);
  assert.deepEqual(Object.entries(failures), [
    ['503', 2],
    ['486 Busy', 1],
  ]);
  assert.deepEqual([latencyMs.max, tally.lastMs], [20, 1_020]);
});

test('a look tells what happened since the last one', () => {
  const tally = new Tally();
  tally.begin();
  tally.took(1_000, 1_100);
  tally.end({ ok: true });
  assert.deepEqual(tally.look(), { asked: 1, done: 1, failed: 0, p50: 100, p99: 100 });
  tally.begin();
  assert.deepEqual(tally.look(), { asked: 1, done: 0, failed: 0, p50: 0, p99: 0 });
});

test('keeps a bounded number of labels and still counts every failure', () => {
  const tally = new Tally();
  for (let index = 0; index < 1_000; index += 1) {
    tally.begin();
    tally.end({ ok: false, label: `reason ${index}` });
  }
  const { failed, failures } = tally.view();
  assert.equal(failed, 1_000);
  assert.equal(Object.keys(failures).length, MAX_OUTCOMES + 1);
  assert.equal(failures['others'], 1_000 - MAX_OUTCOMES);
});
