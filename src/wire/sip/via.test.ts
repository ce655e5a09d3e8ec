import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameter } from './parameters.ts';
import { branchOf, formatVia, isUniqueBranch, parseTopVia, parseVia, parseViaList } from './via.ts';

test('reads transport, sent-by and parameters', () => {
  const via =
    parseVia('SIP/2.0/udp Example.com:5062;branch=z9hG4bKa;rport;received=192.0.2.1') ?? assert.fail('not read');
  assert.deepEqual([via.transport, via.host, via.port, branchOf(via)], ['UDP', 'example.com', 5062, 'z9hG4bKa']);
  assert.equal(parameter(via.parameters, 'rport'), '');
  assert.equal(formatVia(via), 'SIP/2.0/UDP example.com:5062;branch=z9hG4bKa;rport;received=192.0.2.1');
});

test('reads blanks wherever the grammar allows them', () => {
  const via =
    parseVia('SIP / 2.0 / TCP  first.example.com : 4000 ; ttl = 16 ; branch = z9hG4bKx') ?? assert.fail('not read');
  assert.deepEqual([via.transport, via.host, via.port], ['TCP', 'first.example.com', 4000]);
  assert.equal(formatVia(via), 'SIP/2.0/TCP first.example.com:4000;ttl=16;branch=z9hG4bKx');
});

test('reads the name that a browser invents for itself', () => {
  assert.equal(parseVia('SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56')?.host, 'df7jal23ls0d.invalid');
});

test('refuses what is no Via', () => {
  for (const text of [
    '',
    'SIP/2.0/UDP',
    'SIP/2.0 h',
    'HTTP/2.0/UDP h',
    'SIP/2.0/UDPh',
    'SIP/2.0/UDP h:0x1',
    'SIP/2.0/UDP h;;',
    'SIP/2.0/UDP h;branch=',
    'SIP/2.0/UDP a b',
    'SIP/2.0/UDP [::1',
    'SIP/2.0/UDP h;branch=a;branch=b',
  ])
    assert.equal(parseVia(text), undefined, text);
});

test('lists the hops of all lines in order, and finds the top one', () => {
  const lines = ['SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b', 'SIP/2.0/TLS c'];
  assert.deepEqual(
    parseViaList(lines)?.map(({ host }) => host),
    ['a', 'b', 'c'],
  );
  assert.equal(parseTopVia(lines)?.host, 'a');
  assert.equal(parseTopVia([]), undefined);
});

test('tells a branch that identifies a transaction from one that does not', () => {
  assert.deepEqual(['z9hG4bKx', 'z9hG4bK', '1', undefined].map(isUniqueBranch), [true, false, false, false]);
});
