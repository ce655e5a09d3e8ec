import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningProcess } from './child-process.ts';

/** A process that ignores SIGTERM and whose child, which does too, writes to the same output. */
const STUBBORN = "trap '' TERM; sh -c \"trap '' TERM; echo child; while :; do sleep 1; done\" & wait; sleep 60";

test('what ignores SIGTERM is killed with its children, and that is an error', async () => {
  const running = RunningProcess.start('sh', ['-c', STUBBORN]);
  await running.line(/child/);
  await assert.rejects(running.end('SIGTERM', 50), /still there 50 ms after SIGTERM/);
});

test('SIGKILL ends children too, so that the output is read to its end', async () => {
  const running = RunningProcess.start('sh', ['-c', STUBBORN]);
  await running.line(/child/);
  assert.deepEqual(await running.end('SIGKILL'), { code: null, signal: 'SIGKILL' });
});

test('a process that ends by itself before it says what is awaited is told with its output', async () => {
  const running = RunningProcess.start('sh', ['-c', 'echo no']);
  await assert.rejects(running.line(/yes/), /out\| no\n(?:.*\n)*.*ended .* before it said/);
});
