import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { isLocalHost, isLocalNetwork, reachableAt } from './local-hosts.ts';

test('knows the names and addresses of this machine', () => {
  for (const host of ['localhost', 'LOCALHOST', hostname(), '127.0.0.1', '127.8.9.1', '::1']) {
    assert.ok(isLocalHost(host), host);
  }
  for (const host of ['example.com', '192.0.2.1', '127.0.0.1.example.com', '', '127.0.0']) {
    assert.ok(!isLocalHost(host), host);
  }
});

test('knows the networks that belong to nobody outside', () => {
  const inside = ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '127.0.0.1', '::1', 'fd00::1', 'fc12::'];
  for (const address of inside) assert.ok(isLocalNetwork(address), address);
  for (const address of ['172.32.0.1', '192.0.2.1', '8.8.8.8', '2001:db8::1', 'fe80::1', 'localhost', '10.1', '']) {
    assert.ok(!isLocalNetwork(address), address);
  }
});

test('a door with an address is reached there, one that is open everywhere at least on loopback', () => {
  const bound = { address: '127.0.0.1', port: 5060 };
  assert.deepEqual(reachableAt(bound), [bound]);
  for (const address of ['0.0.0.0', '::']) assert.deepEqual(reachableAt({ address, port: 5060 }).at(-1), bound);
});
