import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { LogBuffer } from './log-buffer.ts';

const messages = (lines: readonly string[]): readonly unknown[] =>
  lines.map((line) => (JSON.parse(line) as { msg: string }).msg);

suite('the log', () => {
  test('keeps its last lines from info on, whatever is printed', () => {
    const logs = new LogBuffer('silent');
    logs.logger.debug({}, 'too small');
    for (const word of ['one', 'two', 'three']) logs.logger.info({ word }, word);
    assert.deepEqual(messages(logs.last(2)), ['two', 'three']);
    assert.deepEqual(messages(logs.last(100)), ['one', 'two', 'three']);
    assert.deepEqual(logs.last(0), []);
  });

  test('does not grow without end', () => {
    const logs = new LogBuffer('silent');
    for (let line = 0; line < 25_000; line += 1) logs.logger.info({}, String(line));
    const kept = messages(logs.last(1_000_000));
    assert.ok(kept.length >= 10_000 && kept.length <= 20_000);
    assert.equal(kept.at(-1), '24999');
  });

  test('keeps a bounded number of characters, and the newest line whatever its length', () => {
    const logs = new LogBuffer('silent');
    const long = 'x'.repeat(1_000_000);
    for (let line = 0; line < 100; line += 1) logs.logger.info({ long }, String(line));
    const kept = logs.last(1_000);
    assert.ok(kept.length >= 8 && kept.length <= 17, `${kept.length} lines`);
    assert.equal(messages(kept).at(-1), '99');
  });

  test('gives new lines to whoever follows, until they stop', () => {
    const logs = new LogBuffer('silent');
    const heard: string[] = [];
    const following = logs.follow((line) => heard.push(line));
    logs.logger.warn({}, 'heard');
    following.stop();
    logs.logger.warn({}, 'not heard');
    assert.deepEqual(messages(heard), ['heard']);
  });
});
