import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { InProcessBus } from './in-process.ts';

const newBus = (): InProcessBus => new InProcessBus({ logger: silentLogger });

describe('InProcessBus', () => {
  it('takes a command to the server of its key and its answer back', async () => {
    const bus = newBus();
    bus.serve('call.update', 'CA1', async (payload) => ({ one: payload }));
    bus.serve('call.update', 'CA2', async () => 'two');
    assert.deepEqual(await bus.request('call.update', 'CA1', { status: 'completed' }), {
      one: { status: 'completed' },
    });
    assert.equal(await bus.request('call.update', 'CA2', undefined), 'two');
  });

  it('rejects with `no-server` when nobody serves the key, or its server has stopped', async () => {
    const bus = newBus();
    const server = bus.serve('call.update', 'CA1', async () => undefined);
    await assert.rejects(bus.request('call.update', 'CA2', {}), { code: 'no-server' });
    await assert.rejects(bus.request('call.other', 'CA1', {}), { code: 'no-server' });
    server.stop();
    server.stop();
    await assert.rejects(bus.request('call.update', 'CA1', {}), { code: 'no-server' });
  });

  it('refuses a second server of a key, and an old stop does not end a new server', async () => {
    const bus = newBus();
    const first = bus.serve('t', 'k', async () => 1);
    assert.throws(() => bus.serve('t', 'k', async () => 2), { code: 'already-served' });
    first.stop();
    bus.serve('t', 'k', async () => 3);
    first.stop();
    assert.equal(await bus.request('t', 'k', null), 3);
  });

  it("passes on what the server's handler throws", async () => {
    const bus = newBus();
    bus.serve('t', 'k', () => Promise.reject(new Error('not in progress')));
    await assert.rejects(bus.request('t', 'k', {}), { message: 'not in progress' });
  });

  it('keeps topic and key apart, whatever they contain', async () => {
    const bus = newBus();
    bus.serve('a","b', 'c', async () => 1);
    await assert.rejects(bus.request('a', 'b","c', {}), { code: 'no-server' });
  });

  it('takes an event to all subscribers of its topic, past one that throws', () => {
    const bus = newBus();
    const seen: unknown[] = [];
    const broken = bus.subscribe('t', () => {
      throw new Error('broken');
    });
    const handler = (payload: unknown): void => void seen.push(payload);
    const first = bus.subscribe('t', handler);
    bus.subscribe('t', handler);
    bus.publish('t', 1);
    bus.publish('other', 2);
    broken.stop();
    first.stop();
    bus.publish('t', 3);
    assert.deepEqual(seen, [1, 1, 3]);
  });

  it('gives each side a copy, and refuses what could not travel', async () => {
    const bus = newBus();
    const payload = { list: [1] };
    const seen: { list: number[] }[] = [];
    bus.subscribe('t', (got) => void seen.push(got as { list: number[] }));
    bus.publish('t', payload);
    payload.list.push(2);
    assert.deepEqual(seen, [{ list: [1] }]);
    bus.serve('t', 'k', async () => undefined);
    await assert.rejects(bus.request('t', 'k', () => undefined));
  });
});
