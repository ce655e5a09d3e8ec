import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { ConfigError, loadConfig } from './load-config.ts';
import { relaySettings } from './relay-settings.ts';

suite('TURN servers of the configuration', () => {
  test('are none by default, and a STUN server needs no secret', async (t) => {
    const data = temporaryFolder(t, 'config');
    assert.deepEqual(relaySettings(await loadConfig({ flags: { data }, environment: {} })), {
      urls: [],
      ttlSeconds: 86_400,
    });
    const environment = { TANDEM_TURN_URLS: '["stun:stun.lan:3478"]' };
    assert.deepEqual(relaySettings(await loadConfig({ flags: { data }, environment })).urls, ['stun:stun.lan:3478']);
  });

  test('are refused without the secret, and where one is no address of such a server', async (t) => {
    const data = temporaryFolder(t, 'config');
    const config = await loadConfig({ flags: { data, turnUrls: ['turn:turn.lan:3478'] }, environment: {} });
    assert.throws(() => relaySettings(config), /turn:turn\.lan:3478 .* want turnSecret/);
    for (const url of ['https://turn.lan', 'turn:', 'turn:a b', 'turn:turn.lan?transport=tls']) {
      await assert.rejects(loadConfig({ flags: { data, turnUrls: [url] }, environment: {} }), ConfigError, url);
    }
  });
});
