import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondLines } from './live-table.ts';

const VIEW = { second: 1, asked: 100, done: 99, failed: 1, p50: 1.25, p99: 10, serverCpuPercent: 55.4 };

test('on a terminal, rows stand under their headings', () => {
  const [headings = '', row = ''] = secondLines(VIEW, true);
  assert.equal(headings.length, row.length);
  assert.match(row, /^ +1s +100 +99 +1 +1\.3 +10\.0 +55%$/);
  assert.equal(secondLines({ ...VIEW, second: 2 }, true).length, 1);
});

test('elsewhere each line stands for itself', () => {
  const unknown = { ...VIEW, serverCpuPercent: undefined };
  assert.deepEqual(secondLines(unknown, false), [
    'second=1 asked=100 done=99 failed=1 p50ms=1.3 p99ms=10.0 serverCpu=-',
  ]);
});
