import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningProcess } from './child-process.ts';
import { natNetwork, natOptions, type Host } from './network-namespace.ts';
import { atEnd, type Scope } from './scope.ts';

const LISTEN = `const socket = require('dgram').createSocket('udp4');
socket.on('message', (_, from) => { console.log('from', from.address); socket.send('yes', from.port, from.address); });
socket.bind(9999, process.argv[1], () => console.log('listening'));`;
const ASK = `const socket = require('dgram').createSocket('udp4');
socket.on('message', () => { console.log('answered'); socket.close(); });
socket.on('error', () => undefined);
setTimeout(() => { console.log('silence'); process.exit(); }, 1500).unref();
socket.send('?', 9999, process.argv[1]);`;

function node(scope: Scope, host: Host, script: string, argument: string): RunningProcess {
  const [command = '', ...words] = [...host.inside, process.execPath];
  const running = RunningProcess.start(command, [...words, '-e', script, argument]);
  atEnd(scope, async () => void (await running.end('SIGKILL')));
  return running;
}

test('the phone reaches the server under the address of the router, and hears its answer', natOptions(), async (t) => {
  const { server, phone, natAddress } = await natNetwork(t);
  const listener = node(t, server, LISTEN, server.address);
  await listener.line(/listening/);
  const asker = node(t, phone, ASK, server.address);
  await asker.line(/answered/);
  assert.equal(await listener.line(/from/), `from ${natAddress}`);
});

test('the server does not reach the phone unasked', natOptions(), async (t) => {
  const { server, phone } = await natNetwork(t);
  await node(t, phone, LISTEN, phone.address).line(/listening/);
  await node(t, server, ASK, phone.address).line(/silence/);
});
