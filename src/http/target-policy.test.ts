import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEVELOPMENT_TARGETS, TargetPolicy } from './target-policy.ts';

const allows = (entries: readonly string[], address: string, host = address): boolean =>
  new TargetPolicy(entries).refusal(host, address) === undefined;

describe('TargetPolicy', () => {
  it('reaches loopback and private networks during development, and no other', () => {
    const inside = [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      'fd12::1',
      '::ffff:10.0.0.1',
    ];
    for (const address of inside) assert.ok(allows(DEVELOPMENT_TARGETS, address), address);
    const outside = ['8.8.8.8', '172.32.0.1', '100.64.0.1', '2001:db8::1', '::ffff:8.8.8.8', '2002:808:808::1'];
    for (const address of outside) assert.ok(!allows(DEVELOPMENT_TARGETS, address), address);
  });

  it('reaches metadata, link-local, multicast and unspecified addresses never, in no form', () => {
    const never = [
      '169.254.169.254',
      '169.254.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '100.100.100.200',
      '::',
      'fe80::1',
      'fe80::1%eth0',
      'ff02::1',
      'fd00:ec2::254',
      '::ffff:169.254.169.254',
      '::169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      '2002:a9fe:a9fe::',
      '2001:0:1:2:3:4:5601:5601',
      '::ffff:0.0.0.0',
    ];
    const everything = ['any', 'metadata.example', '0.0.0.0/0', '::/0', '169.254.0.0/16', 'fe80::/10'];
    for (const address of never) assert.ok(!allows(everything, address, 'metadata.example'), address);
  });

  it('reaches what the operator names: everything, ranges, hosts, subdomains', () => {
    assert.ok(allows(['any'], '8.8.8.8'));
    assert.ok(allows([' Any '], '8.8.8.8'));
    assert.ok(allows(['203.0.113.0/24'], '203.0.113.9'));
    assert.ok(!allows(['203.0.113.0/24'], '203.0.114.9'));
    assert.ok(allows(['app.example.org'], '8.8.8.8', 'App.Example.org.'));
    assert.ok(!allows(['app.example.org'], '8.8.8.8', 'evil-app.example.org'));
    assert.ok(allows(['*.example.org'], '8.8.8.8', 'app.example.org'));
    assert.ok(!allows(['*.example.org'], '8.8.8.8', 'example.org'));
    assert.ok(!allows([], '127.0.0.1'));
  });

  it('refuses an entry without a meaning', () => {
    for (const entry of ['', 'http://x', '10.0.0.0/40', '999.1.1.1', 'a b', '*', '*.', '1.2.3']) {
      assert.throws(() => new TargetPolicy([entry]), RangeError, entry);
    }
  });

  it('says what may be reached', () => {
    assert.match(new TargetPolicy(['loopback']).refusal('x', '8.8.8.8') ?? '', /only loopback may be reached/);
  });
});
