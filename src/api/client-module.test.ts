import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { addClientModule, CLIENT_MODULE_PATH } from './client-module.ts';

suite('the module for pages', () => {
  const app = fastify();
  addClientModule(app);
  const ask = (headers: Record<string, string> = {}) => app.inject({ url: CLIENT_MODULE_PATH, headers });

  test('is one file without imports that exports Device, Call and ClientError, for pages of every origin', async () => {
    const answer = await ask();
    assert.equal(answer.statusCode, 200);
    assert.match(String(answer.headers['content-type']), /^text\/javascript/);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.match(answer.body, /^export const \{ Call, ClientError, Device \} = \w+;$/m);
    assert.doesNotMatch(answer.body, /^\s*import\b/m);
    const module = (await import(
      `data:text/javascript;base64,${Buffer.from(answer.body).toString('base64')}`
    )) as object;
    assert.deepEqual(Object.keys(module).sort(), ['Call', 'ClientError', 'Device']);
  });

  test('is compressed for who takes it so, and the same', async () => {
    const { body } = await ask();
    const brotli = await ask({ 'accept-encoding': 'gzip, deflate, br' });
    assert.equal(brotli.headers['content-encoding'], 'br');
    assert.equal(brotliDecompressSync(brotli.rawPayload).toString(), body);
    const gzip = await ask({ 'accept-encoding': 'gzip, br;q=0' });
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(gzip.rawPayload).toString(), body);
    assert.ok(brotli.rawPayload.length < 40_000, `${brotli.rawPayload.length} bytes`);
  });

  test('is not sent again to who has it', async () => {
    const { etag } = (await ask()).headers;
    const again = await ask({ 'if-none-match': `W/${String(etag)}, "other"` });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
    assert.equal((await ask({ 'if-none-match': '"other"' })).statusCode, 200);
  });
});
