import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf, generatorLimit, summaryLines, type LoadResult } from './summary.ts';

const LATENCY = { p50: 1, p95: 2, p99: 3, p999: 4, max: 5 };
const GOOD: LoadResult = {
  kind: 'calls',
  seconds: 10,
  tally: {
    asked: 1_000,
    done: 999,
    failed: 1,
    unfinished: 0,
    failures: { '503 Service Unavailable': 1 },
    latencyMs: LATENCY,
  },
  askedPerSecond: 100,
  donePerSecond: 99.9,
  failedPercent: 0.1,
  allowFailedPercent: 0.1,
  serverCores: 0.5,
  serverCpuMsEach: 5,
  generator: { latenessP99Ms: 1, latenessMaxMs: 3, cores: 0.2, skipped: 0 },
  otherCores: 0.1,
  limits: { reached: [], datagramsDropped: { sip: 0, machine: 0 } },
  interrupted: false,
  leftBehind: [],
  figures: { answered: 999, notAsked: 0 },
  faults: [],
};

test('is good up to the allowed share of failures, and never with a fault or nothing done', () => {
  assert.equal(exitCodeOf(GOOD), 0);
  assert.equal(exitCodeOf({ ...GOOD, failedPercent: 0.2 }), 1);
  assert.equal(exitCodeOf({ ...GOOD, faults: ['2 acknowledged calls are not listed'] }), 1);
  assert.equal(exitCodeOf({ ...GOOD, leftBehind: ['temporary numbers: no'] }), 1);
  assert.equal(exitCodeOf({ ...GOOD, failedPercent: 0, tally: { ...GOOD.tally, done: 0 } }), 1);
});

test('says when other programs took part of the machine', () => {
  const doubtful = (otherCores: number | undefined): boolean =>
    summaryLines({ ...GOOD, otherCores }).some((line) => line.startsWith('DOUBTFUL: other programs used 0.5 cores'));
  assert.deepEqual([doubtful(0.5), doubtful(0.1), doubtful(undefined)], [true, false, false]);
});

test('says when the generator itself was the limit, and why', () => {
  assert.equal(generatorLimit(GOOD.generator), undefined);
  assert.match(generatorLimit({ ...GOOD.generator, skipped: 3 }) ?? '', /left out 3/);
  assert.match(generatorLimit({ ...GOOD.generator, latenessP99Ms: 80 }) ?? '', /80 ms late/);
  assert.match(generatorLimit({ ...GOOD.generator, cores: 0.97 }) ?? '', /0\.97 cores/);
});

test('tells failures, figures, both sides’ cost and the limits', () => {
  assert.deepEqual(summaryLines({ ...GOOD, faults: ['x'] }), [
    'calls: 1000 asked (100/s), 999 done (99.9/s), 1 failed (0.1 %, 0.1 % allowed), in 10 s',
    'latency from the intended start: p50 1 ms, p95 2, p99 3, p99.9 4, max 5',
    'failed: 1 × 503 Service Unavailable',
    'answered 999, not asked 0',
    'server: 0.5 cores, 5 ms CPU for each that was done',
    'generator: 0.2 cores, late p99 1 ms, max 3 ms',
    'refused by limit: nothing; no datagram was dropped',
    'WRONG: x',
  ]);
});
