import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';
import { measuredFigures, type Measured, type MeasuredFigures } from './measured-figures.ts';
import { Tally } from './tally.ts';

const START_MS = 5_000;

/** A run of 10 s in which 100 were asked within 5 s, and 80 done. */
function figures(more: Partial<Measured> = {}): MeasuredFigures {
  const tally = new Tally();
  for (let index = 0; index < 100; index += 1) {
    tally.begin();
    tally.end(index < 80 ? { ok: true } : { ok: false, label: '503' });
  }
  return measuredFigures({
    load: { lateness: new Histogram(), startMs: START_MS, askedMs: 5_000, skipped: 0 },
    tally: tally.view(),
    lastMs: START_MS + 4_000,
    start: { atMs: START_MS, own: 1 },
    end: { atMs: START_MS + 10_000, own: 6 },
    ...more,
  });
}

test('what is done counts in the time it was asked in, or in all that a server took which falls behind', () => {
  const { askedPerSecond, donePerSecond, failedPercent, seconds } = figures();
  assert.deepEqual([askedPerSecond, donePerSecond, failedPercent, seconds], [20, 16, 20, 10]);
  assert.equal(figures({ lastMs: START_MS + 8_000 }).donePerSecond, 10);
});

test('cores are those of the whole run; what neither the server nor the tool used is that of other programs', () => {
  const { generator, serverCores, serverCpuMsEach, otherCores } = figures({
    start: { atMs: START_MS, own: 1, server: 2, machine: 100 },
    end: { atMs: START_MS + 10_000, own: 6, server: 6, machine: 112 },
  });
  assert.deepEqual([generator.cores, serverCores, serverCpuMsEach, otherCores], [0.5, 0.4, 50, 0.3]);
});

test('nothing is told of the cores of a server that is elsewhere, or has ended', () => {
  const elsewhere = figures();
  assert.deepEqual([elsewhere.serverCores, elsewhere.serverCpuMsEach, elsewhere.otherCores], Array(3).fill(undefined));
  const ended = figures({ start: { atMs: START_MS, own: 1, server: 2, machine: 100 } });
  assert.deepEqual([ended.serverCores, ended.serverCpuMsEach, ended.otherCores], Array(3).fill(undefined));
});
