import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListenAddress, parsePortRange } from './listen-address.ts';
import { ConfigError } from './load-config.ts';

test('reads a host with a port, and takes loopback where the host is left out', () => {
  const cases = {
    '127.0.0.1:3600': { address: '127.0.0.1', port: 3600 },
    '0.0.0.0:0': { address: '0.0.0.0', port: 0 },
    '[::1]:80': { address: '::1', port: 80 },
    'localhost:1': { address: '127.0.0.1', port: 1 },
    ':5060': { address: '127.0.0.1', port: 5060 },
    ' 65535 ': { address: '127.0.0.1', port: 65_535 },
  };
  for (const [text, expected] of Object.entries(cases)) assert.deepEqual(parseListenAddress('http', text), expected);
});

test('refuses what is no address with what was got and an example', () => {
  for (const text of ['', 'x', '127.0.0.1', '1.2.3.4:65536', '::1:80', '1.2.3.4:-1', '1.2.3.4:80:90', '123456']) {
    const named = { code: 'bad-config', message: /^sip: got ".*; want HOST:PORT, e\.g\. 127\.0\.0\.1:3600/ };
    assert.throws(() => parseListenAddress('sip', text), named, text);
  }
  assert.throws(() => parseListenAddress('http', 'example.com:80'), /^ConfigError: http: got the host "example\.com"/);
  assert.throws(() => parseListenAddress('http', '1.2.3:80'), ConfigError);
});

test('reads a range of ports', () => {
  assert.deepEqual(parsePortRange('rtp', '20000-29999'), { low: 20_000, high: 29_999 });
  assert.deepEqual(parsePortRange('rtp', '1024-1027'), { low: 1024, high: 1027 });
});

test('refuses ranges that are reversed, too small, privileged or no range', () => {
  for (const text of ['', '20000', '3-2', '30000-20000', '1023-2000', '20000-65536', '20000-20002', '-1-5', 'a-b']) {
    assert.throws(
      () => parsePortRange('rtp', text),
      /^ConfigError: rtp: got ".*; want LOW-HIGH within 1024-65535/,
      text,
    );
  }
});
