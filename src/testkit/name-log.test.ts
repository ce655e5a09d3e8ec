import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { test } from 'node:test';
import { openNameLog } from './name-log.ts';

test('a name server that knows nothing remembers what it was asked', async (t) => {
  const log = await openNameLog(t, { address: '127.0.0.1', port: 0 });
  const resolver = new Resolver({ tries: 1 });
  resolver.setServers([`127.0.0.1:${log.port}`]);
  await assert.rejects(resolver.resolve4('API.twilio.com'), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolve6('example.org'), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolve4('example.org'), { code: 'ENOTFOUND' });
  assert.deepEqual(log.names(), ['api.twilio.com', 'example.org']);
});
