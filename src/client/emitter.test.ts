import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Emitter } from './emitter.ts';

class Bell extends Emitter<{ ring: readonly [number]; stop: readonly [number] }> {
  tell(name: 'ring' | 'stop', value: number): void {
    this.emit(name, value);
  }
}

suite('an Emitter', () => {
  test('calls a handler of two names once under each, in either order', () => {
    const bell = new Bell();
    const told: number[] = [];
    const handler = (value: number): void => void told.push(value);
    bell.once('ring', handler).once('stop', handler);
    bell.tell('ring', 1);
    bell.tell('ring', 2);
    assert.equal(bell.listenerCount('stop'), 1);
    bell.tell('stop', 3);
    bell.tell('stop', 4);
    assert.deepEqual(told, [1, 3]);
    assert.equal(bell.listenerCount('ring') + bell.listenerCount('stop'), 0);
  });

  test('takes a handler of two names off one, and leaves it under the other', () => {
    const bell = new Bell();
    const told: number[] = [];
    const handler = (value: number): void => void told.push(value);
    bell.once('ring', handler).once('stop', handler).off('ring', handler);
    bell.tell('ring', 1);
    bell.tell('stop', 2);
    assert.deepEqual(told, [2]);
  });

  test('calls a handler of one time once, also when a handler before it causes the event again', () => {
    const bell = new Bell();
    const told: number[] = [];
    bell.once('ring', (value) => bell.tell('ring', value + 1));
    bell.once('ring', (value) => told.push(value));
    bell.tell('ring', 1);
    assert.deepEqual(told, [2]);
  });

  test('goes on calling a handler of every time that is asked for once besides', () => {
    const bell = new Bell();
    const told: number[] = [];
    const handler = (value: number): void => void told.push(value);
    bell.on('ring', handler).once('ring', handler);
    bell.tell('ring', 1);
    bell.tell('ring', 2);
    assert.deepEqual(told, [1, 2]);
  });
});
