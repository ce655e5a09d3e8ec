import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Endpoint, StreamConnection } from './network.ts';
import { seededRandom } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualNetwork, type VirtualNetworkOptions } from './virtual-network.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

function world(options: Partial<VirtualNetworkOptions> = {}) {
  const clock = new VirtualClock();
  const network = new VirtualNetwork({ clock, random: seededRandom(1), ...options });
  return { clock, a: network.host('10.0.0.1', 'fd00::1'), b: network.host('10.0.0.2', 'fd00::2'), network };
}

describe('virtual datagrams', () => {
  it('arrive after the delay, with their sender, unchanged by later writes to the buffer', async () => {
    const { clock, a, b } = world({ delayMs: 20 });
    const [from, to] = [
      await a.bindDatagram({ address: '10.0.0.1', port: 5060 }),
      await b.bindDatagram({ address: '0.0.0.0', port: 5060 }),
    ];
    const seen: unknown[] = [];
    to.onMessage((data, source) => seen.push([text(data), source, clock.now()]));
    const buffer = bytes('hello');
    from.send(buffer, { address: '10.0.0.2', port: 5060 });
    buffer.fill(0);
    await clock.advance(19);
    assert.deepEqual(seen, []);
    await clock.advance(1);
    assert.deepEqual(seen, [['hello', { address: '10.0.0.1', port: 5060 }, 20]]);
  });

  it('from a wildcard socket carry the address of the route', async () => {
    const { clock, a, b } = world();
    const sender = await a.bindDatagram({ address: '::', port: 0 });
    const receiver = await b.bindDatagram({ address: 'fd00::2', port: 7 });
    const sources: Endpoint[] = [];
    receiver.onMessage((_, source) => sources.push(source));
    sender.send(bytes('x'), { address: 'fd00::2', port: 7 });
    await clock.advance(0);
    assert.deepEqual(sources, [{ address: 'fd00::1', port: sender.local.port }]);
    assert.equal(await a.routeTo('10.0.0.2'), '10.0.0.1');
    assert.equal(await a.routeTo('127.0.0.1'), '127.0.0.1');
  });

  it('are lost at the rate of the link, the same ones for the same seed', async () => {
    const run = async (seed: number): Promise<number[]> => {
      const { clock, a, b } = world({ lossRate: 0.2, jitterMs: 5, random: seededRandom(seed) });
      const from = await a.bindDatagram({ address: '10.0.0.1', port: 1 });
      const to = await b.bindDatagram({ address: '10.0.0.2', port: 2 });
      const seen: number[] = [];
      to.onMessage((data) => seen.push((data[0] ?? 0) * 256 + (data[1] ?? 0)));
      for (let n = 0; n < 1_000; n += 1) from.send(Uint8Array.of(n >> 8, n & 255), to.local);
      await clock.advance(5);
      return seen;
    };
    const first = await run(1);
    assert.ok(first.length > 750 && first.length < 850, String(first.length));
    assert.notDeepEqual(
      first,
      [...first].sort((x, y) => x - y),
    );
    assert.deepEqual(await run(1), first);
    assert.notDeepEqual(await run(2), first);
  });

  it('within a host take no time, and loopback stays within its host', async () => {
    const { clock, a, b } = world({ delayMs: 50, lossRate: 1 });
    const seen: string[] = [];
    for (const [name, host] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const socket = await host.bindDatagram({ address: '127.0.0.1', port: 9 });
      socket.onMessage(() => seen.push(name));
    }
    (await a.bindDatagram({ address: '127.0.0.1', port: 0 })).send(bytes('x'), { address: '127.0.0.1', port: 9 });
    await clock.advance(0);
    assert.deepEqual(seen, ['a']);
  });

  it('to nobody vanish; too large ones, and those without a way, are told to the sender', async () => {
    const { clock, a } = world();
    const socket = await a.bindDatagram({ address: '10.0.0.1', port: 1 });
    const errors: unknown[] = [];
    socket.onError((error, to) => errors.push([(error as Error & { code: string }).code, to?.port]));
    socket.send(bytes('x'), { address: '10.0.0.9', port: 1 });
    socket.send(new Uint8Array(70_000), { address: '10.0.0.2', port: 2 });
    await socket.close();
    await socket.close();
    socket.send(bytes('x'), { address: '10.0.0.2', port: 3 });
    await clock.advance(0);
    assert.deepEqual(errors, [
      ['EMSGSIZE', 2],
      ['EBADF', 3],
    ]);
  });

  it('need an address of the host and a free port', async () => {
    const { a } = world();
    await assert.rejects(a.bindDatagram({ address: '10.0.0.9', port: 1 }), { code: 'EADDRNOTAVAIL' });
    const first = await a.bindDatagram({ address: '10.0.0.1', port: 5060 });
    await assert.rejects(a.bindDatagram(first.local), { code: 'EADDRINUSE' });
    await first.close();
    await a.bindDatagram(first.local);
    const free = [
      await a.bindDatagram({ address: '10.0.0.1', port: 0 }),
      await a.bindDatagram({ address: '10.0.0.1', port: 0 }),
    ];
    assert.notEqual(free[0]?.local.port, free[1]?.local.port);
  });
});

describe('virtual streams', () => {
  const at = { address: '10.0.0.2', port: 80 };
  const timeoutMs = 1_000;

  async function connected(options: Partial<VirtualNetworkOptions> = {}) {
    const { clock, a, b } = world(options);
    const listener = await b.listen(at);
    const accepted: StreamConnection[] = [];
    listener.onConnection((connection) => accepted.push(connection));
    const client = await clock.runUntil(a.connect(at, { timeoutMs }));
    const server = accepted[0] ?? assert.fail('nothing was accepted');
    return { clock, client, server, listener, a };
  }

  it('connect after a round trip and know both ends', async () => {
    const { clock, client, server } = await connected({ delayMs: 10 });
    assert.equal(clock.now(), 20);
    assert.deepEqual(server.remote, client.local);
    assert.deepEqual([client.remote, server.local], [at, at]);
  });

  it('keep the order of bytes whatever the jitter, and lose nothing', async () => {
    const { clock, client, server } = await connected({ delayMs: 1, jitterMs: 30, lossRate: 0.5 });
    let heard = '';
    server.onData((data) => (heard += text(data)));
    let said = '';
    for (let n = 0; n < 100; n += 1) {
      client.write(bytes(`${n},`));
      said += `${n},`;
    }
    await clock.advance(31);
    assert.equal(heard, said);
  });

  it('keep what arrives before somebody listens', async () => {
    const { clock, client, server } = await connected();
    client.write(bytes('early'));
    await clock.advance(0);
    const heard: string[] = [];
    server.onData((data) => heard.push(text(data)));
    assert.deepEqual(heard, ['early']);
  });

  it('say when too much is under way', async () => {
    const { clock, client } = await connected({ delayMs: 5 });
    assert.equal(client.write(new Uint8Array(60_000)), true);
    assert.equal(client.write(new Uint8Array(60_000)), false);
    await clock.advance(5);
    assert.equal(client.write(new Uint8Array(10)), true);
  });

  it('that end deliver all, then close once at both ends', async () => {
    const { clock, client, server } = await connected({ delayMs: 5 });
    const events: string[] = [];
    server.onData((data) => events.push(text(data)));
    server.onClose(() => events.push('server closed'));
    client.onClose(() => events.push('client closed'));
    client.write(bytes('last'));
    client.end();
    assert.equal(client.write(bytes('never')), false);
    await clock.advance(10);
    client.destroy();
    server.destroy();
    await clock.advance(10);
    assert.deepEqual(events, ['last', 'server closed', 'client closed']);
  });

  it('that are destroyed close at once here and later there', async () => {
    const { clock, client, server } = await connected({ delayMs: 5 });
    const events: string[] = [];
    server.onClose(() => events.push('server'));
    client.onClose(() => events.push('client'));
    client.destroy();
    assert.deepEqual(events, ['client']);
    await clock.advance(5);
    assert.deepEqual(events, ['client', 'server']);
  });

  it('are refused where nobody listens, and time out where nobody is', async () => {
    const { clock, a, listener } = await connected({ delayMs: 5 });
    await listener.close();
    await assert.rejects(clock.runUntil(a.connect(at, { timeoutMs })), { code: 'ECONNREFUSED' });
    const before = clock.now();
    await assert.rejects(clock.runUntil(a.connect({ address: '10.9.9.9', port: 1 }, { timeoutMs })), {
      code: 'ETIMEDOUT',
    });
    assert.equal(clock.now() - before, timeoutMs);
  });
});
