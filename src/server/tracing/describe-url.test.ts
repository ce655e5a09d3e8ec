import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeUrl } from './describe-url.ts';

test('shows where a request went without the credentials of its address', () => {
  assert.deepEqual(describeUrl('https://user:PASSWORD@example.com:8443/voice?team=red&api_key=KEY#rc=1'), {
    origin: 'https://example.com:8443',
    path: '/voice?team=red&api_key=[hidden]',
  });
});

test('shows an address that is none without its query', () => {
  assert.deepEqual(describeUrl('no address?token=KEY'), { origin: 'unknown', path: 'no address' });
});
