import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Endpoint } from '../base/network.ts';
import { CONFIG_DEFAULTS, type Config } from './config.ts';
import { parseListenAddress, parsePortRange } from './listen-address.ts';
import { listenFrom, listenPlan, movedNotice } from './listening.ts';

const config = (more: Partial<Config>): Config => ({ ...CONFIG_DEFAULTS, data: '/tmp', ...more }) as unknown as Config;

/** A machine on which these ports are taken. */
function opener(taken: readonly number[], code = 'EADDRINUSE'): (at: Endpoint) => Promise<number> {
  return ({ port }) =>
    taken.includes(port) ? Promise.reject(Object.assign(new Error('listen'), { code })) : Promise.resolve(port);
}

suite('the address of a door', () => {
  test('is HOST:PORT, [IPv6]:PORT, :PORT or PORT', () => {
    for (const [text, address, port] of [
      ['127.0.0.1:3600', '127.0.0.1', 3600],
      ['0.0.0.0:0', '0.0.0.0', 0],
      ['[::1]:5060', '::1', 5060],
      ['localhost:80', '127.0.0.1', 80],
      [':80', '127.0.0.1', 80],
      ['80', '127.0.0.1', 80],
    ] as const) {
      assert.deepEqual(parseListenAddress('http', text), { address, port }, text);
    }
  });

  test('is refused with what was got and what is wanted', () => {
    for (const text of [
      '',
      'x',
      '127.0.0.1',
      '127.0.0.1:x',
      '127.0.0.1:65536',
      '::1:80',
      'example.org:80',
      '1.2.3:80',
    ]) {
      assert.throws(() => parseListenAddress('http', text), { code: 'bad-config', message: /http: got .*want/ }, text);
    }
  });

  test('of RTP is a range with room for a call', () => {
    assert.deepEqual(parsePortRange('rtp', '20000-20003'), { low: 20_000, high: 20_003 });
    for (const text of ['', '20000', '20000-20002', '30000-20000', '80-100', '60000-70000']) {
      assert.throws(() => parsePortRange('rtp', text), { code: 'bad-config' }, text);
    }
  });
});

suite('opening a door', () => {
  test('plans loopback by default, every address with lan, and what was named', () => {
    assert.deepEqual(listenPlan(config({}), 'http').at, { address: '127.0.0.1', port: 3600 });
    assert.deepEqual(listenPlan(config({ lan: true }), 'sip').at, { address: '0.0.0.0', port: 5060 });
    const named = listenPlan(config({ lan: true, sip: '127.0.0.1:0' }), 'sip');
    assert.deepEqual(named.at, { address: '127.0.0.1', port: 0 });
    assert.equal(named.isDefault, false);
  });

  test('moves on from a default that is taken, and says so', async () => {
    const plan = listenPlan(config({}), 'http');
    assert.equal(await listenFrom(plan, opener([3600, 3601])), 3602);
    assert.match(movedNotice(plan, 3602) ?? '', /3600 is taken.*3602/);
    assert.equal(movedNotice(plan, 3600), undefined);
    assert.equal(movedNotice(listenPlan(config({ http: '127.0.0.1:0' }), 'http'), 40_000), undefined);
  });

  test('gives up on a default after a while', async () => {
    const taken = Array.from({ length: 100 }, (_, index) => 3600 + index);
    await assert.rejects(listenFrom(listenPlan(config({}), 'http'), opener(taken)), { code: 'bad-config' });
  });

  test('never moves from a port that was named: the error names a way out', async () => {
    const plan = listenPlan(config({ http: '127.0.0.1:3600' }), 'http');
    await assert.rejects(listenFrom(plan, opener([3600])), {
      code: 'bad-config',
      message: /127\.0\.0\.1:3600 is taken.*--http HOST:PORT/,
    });
    await assert.rejects(listenFrom(plan, opener([3600], 'EADDRNOTAVAIL')), { message: /no address of this machine/ });
    await assert.rejects(listenFrom(plan, opener([3600], 'EACCES')), { message: /above 1023/ });
    await assert.rejects(listenFrom(plan, opener([3600], 'EOTHER')), { message: 'listen' });
  });
});
