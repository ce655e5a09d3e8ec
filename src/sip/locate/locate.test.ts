import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { formatHop } from '../transport/hop.ts';
import { locate } from './locate.ts';
import type { Resolver, SrvRecord } from './resolver.ts';
import { orderSrv } from './srv-order.ts';

const RECORDS: Readonly<Record<string, readonly SrvRecord[]>> = {
  '_sip._udp.two.test': [{ target: 'a.two.test', port: 5070, priority: 1, weight: 0 }],
  '_sip._tcp.two.test': [{ target: 'b.two.test', port: 5080, priority: 1, weight: 0 }],
  '_sip._udp.none.test': [{ target: '.', port: 0, priority: 0, weight: 0 }],
};
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'a.two.test': ['10.0.0.2', '2001:db8::2'],
  'b.two.test': ['10.0.0.3'],
  'plain.test': ['10.0.0.4'],
  'none.test': ['10.0.0.5'],
};
const resolver: Resolver = {
  srv: async (name) => RECORDS[name] ?? [],
  addresses: async (host) => ADDRESSES[host] ?? [],
};
const hops = async (uri: string): Promise<readonly string[]> =>
  (await locate(uri, resolver, seededRandom(1))).map(formatHop);

for (const [uri, expected] of [
  ['sip:x@10.0.0.9', ['udp:10.0.0.9:5060']],
  ['sip:x@[2001:db8::1]:5070', ['udp:[2001:db8::1]:5070']],
  ['sip:x@10.0.0.9;transport=tcp', ['tcp:10.0.0.9:5060']],
  ['sip:x@plain.test', ['udp:10.0.0.4:5060']],
  ['sip:x@two.test', ['udp:10.0.0.2:5070', 'udp:[2001:db8::2]:5070', 'tcp:10.0.0.3:5080']],
  ['sip:x@two.test;transport=tcp', ['tcp:10.0.0.3:5080']],
  ['sip:x@a.two.test:5090', ['udp:10.0.0.2:5090', 'udp:[2001:db8::2]:5090']],
  ['sip:x@none.test', ['udp:10.0.0.5:5060']],
  ['sip:x@two.test;maddr=10.0.0.7', ['udp:10.0.0.7:5060']],
] as const) {
  test(`${uri} leads to ${expected.join(', ')}`, async () => {
    assert.deepEqual(await hops(uri), expected);
  });
}

for (const [uri, code] of [
  ['sips:x@10.0.0.9', 'unreachable'],
  ['sip:x@10.0.0.9;transport=ws', 'unreachable'],
  ['sip:x@unknown.test', 'unreachable'],
  ['tel:+1', 'bad-argument'],
  ['mailto:x@y', 'bad-argument'],
] as const) {
  test(`${uri} is ${code}`, async () => {
    await assert.rejects(hops(uri), { code });
  });
}

test('records are tried by priority, and within one in proportion to their weight', () => {
  const record = (target: string, priority: number, weight: number): SrvRecord => ({
    target,
    port: 5060,
    priority,
    weight,
  });
  const records = [record('late', 2, 0), record('light', 1, 1), record('heavy', 1, 99)];
  const random = seededRandom(3);
  const firsts = Array.from({ length: 300 }, () => orderSrv(records, random));
  assert.ok(firsts.every((order) => order.at(-1)?.target === 'late'));
  const heavy = firsts.filter((order) => order[0]?.target === 'heavy').length;
  assert.ok(heavy > 270 && heavy < 300, `${heavy} of 300`);
});
