import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ApiUnderTest, START_MS } from './test/api-under-test.ts';
import { relayCredentials, type RelaySettings } from './relay-credentials.ts';

interface Token {
  readonly username: string | null;
  readonly password: string | null;
  readonly ttl: string;
  readonly ice_servers: readonly Readonly<Record<string, string>>[];
}

const RELAY: RelaySettings = {
  urls: ['stun:turn.lan:3478', 'turn:turn.lan:3478?transport=udp', 'turns:turn.lan:5349?transport=tcp'],
  secret: 'a-long-shared-secret',
  ttlSeconds: 7200,
};

suite('ICE servers for browsers', () => {
  test('credentials are those that coturn computes', () => {
    // `printf 1778055289:AC1 | openssl dgst -sha1 -hmac north -binary | base64`
    assert.deepEqual(relayCredentials('north', 'AC1', 1_778_055_289_400), {
      username: '1778055289:AC1',
      password: 'kw40itA9Pn142x6F2n2XDCu1veg=',
    });
  });

  test('a token names each server, with credentials for TURN that end when it says', async (t) => {
    const api = await ApiUnderTest.open({ relay: RELAY });
    t.after(() => api.close());
    const made = await token(api, {});
    assert.equal(made.ttl, '7200');
    assert.equal(made.username, `${START_MS / 1000 + 7200}:${api.parts.account.sid}`);
    const { username, password: credential } = made;
    assert.deepEqual(made.ice_servers, [
      { url: RELAY.urls[0], urls: RELAY.urls[0] },
      { url: RELAY.urls[1], urls: RELAY.urls[1], username, credential },
      { url: RELAY.urls[2], urls: RELAY.urls[2], username, credential },
    ]);
    const short = await token(api, { Ttl: '60' });
    assert.equal(short.username?.split(':')[0], String(START_MS / 1000 + 60));
    assert.equal((await token(api, { Ttl: '86400' })).ttl, '7200', 'the operator says how long at most');
    for (const Ttl of ['0', '-1', 'x', '999999999']) assert.equal((await asked(api, { Ttl })).status, 400, Ttl);
  });

  test('a place without a relay names none, and a STUN server needs no credentials', async (t) => {
    const [bare, stun] = [
      await ApiUnderTest.open(),
      await ApiUnderTest.open({ relay: { ...RELAY, urls: ['stun:s.lan'] } }),
    ];
    t.after(() => Promise.all([bare.close(), stun.close()]));
    const none = await token(bare, {});
    assert.deepEqual([none.ice_servers, none.username, none.password, none.ttl], [[], null, null, '86400']);
    const one = await token(stun, {});
    assert.deepEqual([one.ice_servers, one.username], [[{ url: 'stun:s.lan', urls: 'stun:s.lan' }], null]);
  });
});

function asked(api: ApiUnderTest, form: Record<string, string>): Promise<Response> {
  return api.get('/Tokens.json', { method: 'POST', body: new URLSearchParams(form) });
}

async function token(api: ApiUnderTest, form: Record<string, string>): Promise<Token> {
  const response = await asked(api, form);
  assert.equal(response.status, 201);
  return (await response.json()) as Token;
}
