import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeNetwork } from './node-network.ts';

const LOOPBACK = { address: '127.0.0.1', port: 0 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

test('datagrams go from socket to socket with their source', async (t) => {
  const [one, two] = [await nodeNetwork.bindDatagram(LOOPBACK), await nodeNetwork.bindDatagram(LOOPBACK)];
  t.after(() => Promise.all([one.close(), two.close()]));
  const { promise, resolve } = Promise.withResolvers<readonly [string, number]>();
  two.onMessage((data, from) => resolve([text(data), from.port]));
  one.send(bytes('hello'), two.local);
  assert.deepEqual(await promise, ['hello', one.local.port]);
});

test('a datagram that cannot be sent is told with its target', async (t) => {
  const socket = await nodeNetwork.bindDatagram(LOOPBACK);
  t.after(() => socket.close());
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.onError((_error, to) => resolve(to));
  const to = { address: '127.0.0.1', port: 9 };
  socket.send(new Uint8Array(70_000), to);
  assert.deepEqual(await promise, to);
});

test('a stream carries bytes both ways and tells its end', async (t) => {
  const listener = await nodeNetwork.listen(LOOPBACK);
  t.after(() => listener.close());
  listener.onConnection((connection) => {
    connection.onData((data) => {
      connection.write(data);
      connection.end();
    });
  });
  const connection = await nodeNetwork.connect(listener.local, { timeoutMs: 1_000 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<unknown>();
  connection.onData((data) => resolve(text(data)));
  connection.onClose((error) => closed.resolve(error));
  connection.write(bytes('echo'));
  assert.equal(await promise, 'echo');
  assert.equal(await closed.promise, undefined);
});

test('a refused connection and a taken port reject with the system error', async (t) => {
  const listener = await nodeNetwork.listen(LOOPBACK);
  t.after(() => listener.close());
  await assert.rejects(nodeNetwork.listen(listener.local), { code: 'EADDRINUSE' });
  const { local } = listener;
  await listener.close();
  await assert.rejects(nodeNetwork.connect(local, { timeoutMs: 1_000 }), { code: 'ECONNREFUSED' });
});

test('the route to loopback leaves from loopback', async () => {
  assert.equal(await nodeNetwork.routeTo('127.0.0.1'), '127.0.0.1');
});
