import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ApiUnderTest } from './test/api-under-test.ts';

suite('telemetry of browser SDKs', () => {
  test('is taken from pages of every site, and answered with nothing', async (t) => {
    const api = await ApiUnderTest.open();
    t.after(() => api.close());
    const url = `${api.parts.url}/v4/EndpointEvents`;
    const headers = { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' };
    const asked = await fetch(url, {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'POST' },
    });
    assert.equal(asked.status, 204);
    assert.match(asked.headers.get('access-control-allow-headers') ?? '', /x-twilio-token/);
    const body = JSON.stringify({ name: 'accepted' });
    const posted = await fetch(url, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': 'application/json' },
    });
    assert.equal(posted.status, 204);
    assert.equal(posted.headers.get('access-control-allow-origin'), '*');
    assert.equal(await posted.text(), '');
    const huge = await fetch(url, { method: 'POST', body: 'x'.repeat(70_000), headers });
    assert.equal(huge.status, 413);
  });

  test('nothing else takes what pages of other sites post', async (t) => {
    const api = await ApiUnderTest.open();
    t.after(() => api.close());
    const headers = { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' };
    for (const path of ['/v4/Other', '/tandem/v1/stop']) {
      const { status } = await fetch(api.parts.url + path, { method: 'POST', headers });
      assert.equal(status, 403, path);
    }
  });
});
