import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isFromOwnPage, isFromThisMachine } from './admission.ts';

const here = (
  headers: Record<string, string> = { host: 'localhost:3600' },
  remoteAddress = '127.0.0.1',
  httpVersion = '1.1',
): boolean => isFromThisMachine({ remoteAddress, headers, httpVersion });

suite('a visitor', () => {
  test('at this machine is known by connection and name', () => {
    for (const host of ['localhost', 'localhost:3600', '127.0.0.1:3600', '[::1]:3600', '127.1.2.3']) {
      assert.ok(here({ host }), host);
    }
    assert.ok(here(undefined, '::1'));
    assert.ok(here(undefined, '::ffff:127.0.0.1'));
  });

  test('from elsewhere is not, whatever name it gives', () => {
    for (const address of ['192.168.1.7', '203.0.113.9', '::ffff:192.168.1.7', '', 'junk']) {
      assert.equal(here(undefined, address), false, address);
    }
  });

  test('by a name that others can point here is not (DNS rebinding)', () => {
    const hosts = [
      'rebound.example:3600',
      'localhost.rebound.example',
      '127.0.0.1.rebound.example',
      'user@localhost',
      'localhost/x',
      '',
    ];
    for (const host of hosts) assert.equal(here({ host }), false, host);
    assert.equal(here({}), false);
  });

  test('that a proxy brings is not, for it may be anybody', () => {
    assert.equal(here(undefined, '127.0.0.1', '1.0'), false, 'a bare proxy_pass');
    for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']) {
      assert.equal(here({ host: 'localhost:3600', [name]: '203.0.113.9' }), false, name);
    }
  });
});

test('a page of another site is told by what it cannot forge', () => {
  const host = 'localhost:3600';
  assert.ok(isFromOwnPage({ host }));
  assert.ok(isFromOwnPage({ host, origin: 'http://localhost:3600' }));
  assert.ok(isFromOwnPage({ host, 'sec-fetch-site': 'same-origin' }));
  assert.ok(isFromOwnPage({ host, 'sec-fetch-site': 'none' }));
  assert.equal(isFromOwnPage({ host, origin: 'http://localhost:3700' }), false);
  assert.equal(isFromOwnPage({ host, origin: 'null' }), false);
  assert.equal(isFromOwnPage({ host, 'sec-fetch-site': 'same-site' }), false);
});
