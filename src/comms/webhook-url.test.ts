import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_DELIVERY_RULES, readWebhookUrl } from './webhook-url.ts';

test('a URL without a fragment is delivered by the defaults', () => {
  assert.deepEqual(readWebhookUrl('http://a/?b=c'), { url: 'http://a/?b=c', rules: DEFAULT_DELIVERY_RULES });
});

test('the fragment changes how a URL is delivered', () => {
  const { url, rules } = readWebhookUrl('http://a/b#rc=3&rp=5xx,rt&ct=200&rt=300&tt=900&e=ashburn');
  assert.equal(url, 'http://a/b');
  assert.deepEqual(rules, {
    connectTimeoutMs: 200,
    readTimeoutMs: 300,
    totalTimeoutMs: 900,
    retries: 3,
    retryOn: new Set(['5xx', 'rt']),
  });
  assert.deepEqual(readWebhookUrl('http://a#rp=all').rules.retryOn, new Set(['4xx', '5xx', 'ct', 'rt']));
});

test('values out of range leave the defaults', () => {
  for (const fragment of ['rc=6', 'rc=-1', 'ct=99', 'rt=15001', 'tt=x', 'rp=never', '', '&&==']) {
    assert.deepEqual(readWebhookUrl(`http://a#${fragment}`).rules, DEFAULT_DELIVERY_RULES, fragment);
  }
});
