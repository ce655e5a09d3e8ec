import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test, type TestContext } from 'node:test';
import { fastify, type FastifyInstance } from 'fastify';
import { atEnd } from '../testkit/scope.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { listenHttp } from './http-door.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));
const needsIpv6 = HAS_IPV6 ? {} : { skip: 'this machine has no IPv6 loopback' };

const CONNECTIONS = new ConnectionLimit({ clock: systemClock, log: silentLogger });

function door(t: TestContext): FastifyInstance {
  const app = fastify();
  app.get('/', async () => 'here');
  atEnd(t, () => app.close());
  return app;
}

const plan = (address: string, port = 0) => ({ key: 'http', flag: '--http', at: { address, port }, isDefault: false });

async function answer(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: 'close' } })).text();
}

test('is reached at the address that it tells', async (t) => {
  const { address, port } = await listenHttp(door(t), plan('127.0.0.1'), CONNECTIONS);
  assert.equal(address, '127.0.0.1');
  assert.equal(await answer(`http://127.0.0.1:${port}/`), 'here');
});

test('on loopback it is reached over IPv6 too, at the same port', needsIpv6, async (t) => {
  const { port } = await listenHttp(door(t), plan('127.0.0.1'), CONNECTIONS);
  assert.equal(await answer(`http://[::1]:${port}/`), 'here');
});

test('both addresses are given back when the door closes', needsIpv6, async (t) => {
  const app = door(t);
  const { port } = await listenHttp(app, plan('127.0.0.1'), CONNECTIONS);
  await answer(`http://[::1]:${port}/`);
  await app.close();
  for (const host of ['127.0.0.1', '::1']) {
    const taker = createServer();
    await new Promise<void>((resolve, reject) => taker.once('error', reject).listen({ host, port }, resolve));
    await new Promise((resolve) => taker.close(resolve));
  }
});

test('a port that another program has on ::1 keeps nobody from 127.0.0.1', needsIpv6, async (t) => {
  const other = createServer();
  atEnd(t, () => new Promise<void>((resolve) => other.close(() => resolve())));
  await new Promise<void>((resolve) => other.listen({ host: '::1', port: 0 }, resolve));
  const taken = other.address();
  assert.ok(typeof taken === 'object' && taken !== null);
  const { port } = await listenHttp(door(t), plan('127.0.0.1', taken.port), CONNECTIONS);
  assert.equal(port, taken.port);
  assert.equal(await answer(`http://127.0.0.1:${port}/`), 'here');
});

test('open everywhere, it is told as loopback, where this machine reaches it', async (t) => {
  const { address, port } = await listenHttp(door(t), plan('0.0.0.0'), CONNECTIONS);
  assert.equal(address, '127.0.0.1');
  assert.equal(await answer(`http://127.0.0.1:${port}/`), 'here');
});

test('an IPv6 address that was named is kept', needsIpv6, async (t) => {
  const { address, port } = await listenHttp(door(t), plan('::1'), CONNECTIONS);
  assert.equal(address, '::1');
  assert.equal(await answer(`http://[::1]:${port}/`), 'here');
});

test('a port that is taken is an error that names a way out', async (t) => {
  const { port } = await listenHttp(door(t), plan('127.0.0.1'), CONNECTIONS);
  await assert.rejects(listenHttp(door(t), plan('127.0.0.1', port), CONNECTIONS), {
    code: 'bad-config',
    message: /is taken by another program; name another with --http HOST:PORT/,
  });
});
