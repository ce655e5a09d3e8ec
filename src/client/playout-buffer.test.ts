import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { PlayoutBuffer } from './playout-buffer.ts';

function pulled(buffer: PlayoutBuffer, count: number): number[] {
  const into = new Float32Array(count).fill(9);
  buffer.pull(into);
  return [...into];
}

suite('the buffer before the loudspeaker', () => {
  test('begins when enough waits, and so again after a gap', () => {
    const buffer = new PlayoutBuffer(4, 10);
    buffer.push(Float32Array.of(1, 2, 3));
    assert.deepEqual(pulled(buffer, 2), [0, 0]);
    buffer.push(Float32Array.of(4, 5));
    assert.deepEqual(pulled(buffer, 3), [1, 2, 3]);
    assert.deepEqual(pulled(buffer, 4), [4, 5, 0, 0]);
    buffer.push(Float32Array.of(6));
    assert.deepEqual(pulled(buffer, 2), [0, 0]);
    buffer.push(Float32Array.of(7, 8, 9));
    assert.deepEqual(pulled(buffer, 2), [6, 7]);
  });

  test('when too much waits the oldest goes, so that no delay stays', () => {
    const buffer = new PlayoutBuffer(2, 6);
    for (let at = 0; at < 8; at += 2) buffer.push(Float32Array.of(at, at + 1));
    assert.ok(buffer.waiting <= 6);
    assert.deepEqual(pulled(buffer, 2), [6, 7]);
  });

  test('its text alone is enough to make it, as the audio thread does', () => {
    const made = runInNewContext(`new (${PlayoutBuffer.toString()})(1, 4)`) as PlayoutBuffer;
    made.push(Float32Array.of(1));
    assert.deepEqual(pulled(made, 2), [1, 0]);
  });
});
