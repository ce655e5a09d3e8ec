import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { silentLogger, type Logger } from '../base/logger.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { ConnectionLimit } from './connection-limit.ts';

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const socket = (address: string): Socket => new FakeSocket(address) as unknown as Socket;

test('one address, and all together, have a bounded number of connections; what closes makes room', async () => {
  const clock = new VirtualClock(1_000);
  const lines: object[] = [];
  const log: Logger = { ...silentLogger, warn: (fields) => void lines.push(fields) };
  const bounds = { maxConnections: 5, maxPerSource: 2 };
  const limit = new ConnectionLimit({ clock, log, bounds });
  const first = socket('192.0.2.1');
  assert.ok(limit.take(first));
  assert.ok(limit.take(socket('192.0.2.1')));
  const third = socket('192.0.2.1');
  assert.equal(limit.take(third), false);
  assert.equal(third.destroyed, true);
  first.destroy();
  assert.ok(limit.take(socket('192.0.2.1')));
  for (let index = 0; index < 3; index += 1) assert.ok(limit.take(socket('127.0.0.1')), 'a proxy on this machine');
  assert.equal(limit.take(socket('127.0.0.1')), false);
  assert.equal(limit.take(socket('192.0.2.9')), false);
  await clock.advance(120_000);
  assert.deepEqual(lines, [{ refused: 3, ...bounds }]);
});
