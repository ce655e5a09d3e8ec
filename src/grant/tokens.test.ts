import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import twilio from 'twilio';
import { signAccessToken } from './access-token.ts';
import { verifyVoiceToken } from './verify-token.ts';
import type { TokenOutcome } from './voice-token.ts';

const ACCOUNT = `AC${'1'.repeat(32)}`;
const KEY = `SK${'2'.repeat(32)}`;
const APPLICATION = `AP${'3'.repeat(32)}`;
const SECRET = 'the secret of the key, long enough';
const AUTH_TOKEN = 'f'.repeat(32);
const NOW_MS = 1_800_000_000_000;

function verify(token: string, { nowMs = NOW_MS, active = true } = {}): Promise<TokenOutcome> {
  return verifyVoiceToken(token, {
    nowMs: () => nowMs,
    secretOf: async (issuer) => {
      assert.equal(typeof issuer, 'string');
      const secret = { [KEY]: SECRET, [ACCOUNT]: AUTH_TOKEN }[issuer];
      return secret === undefined ? undefined : { secret, accountSid: ACCOUNT, active };
    },
  });
}

const BASE = { accountSid: ACCOUNT, keySid: KEY, secret: SECRET, identity: 'jenny', nowMs: NOW_MS, ttlSeconds: 3600 };
const sign = (change: Partial<Parameters<typeof signAccessToken>[0]> = {}): Promise<string> =>
  signAccessToken({ ...BASE, ...change });

/** A token with any header and claims, signed with HMAC-SHA256. */
function jwt(claims: object, { header = {}, secret = SECRET }: { header?: object; secret?: string } = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const seconds = NOW_MS / 1000;
const claims = {
  iss: KEY,
  sub: ACCOUNT,
  iat: seconds,
  exp: seconds + 60,
  grants: { identity: 'jenny', voice: { incoming: { allow: true } } },
};

async function codeOf(token: string, options?: Parameters<typeof verify>[1]): Promise<number | 'ok'> {
  const outcome = await verify(token, options);
  return outcome.kind === 'ok' ? 'ok' : outcome.code;
}

suite('voice tokens', () => {
  test('takes the token that the server SDK makes', async () => {
    const { AccessToken } = twilio.jwt;
    const token = new AccessToken(ACCOUNT, KEY, SECRET, { identity: 'jenny', ttl: 600 });
    token.addGrant(
      new AccessToken.VoiceGrant({
        incomingAllow: true,
        outgoingApplicationSid: APPLICATION,
        outgoingApplicationParams: { team: 'red' },
      }),
    );
    const outcome = await verify(token.toJwt(), { nowMs: Date.now() });
    assert.ok(outcome.kind === 'ok');
    const { expiresAt, ...grant } = outcome.grant;
    assert.deepEqual(grant, {
      accountSid: ACCOUNT,
      identity: 'jenny',
      incoming: true,
      outgoingApplicationSid: APPLICATION,
      outgoingParameters: { team: 'red' },
    });
    assert.ok(Math.abs(expiresAt - Date.now() - 600_000) < 5000);
  });

  test('takes the capability token of 2013 that the server SDK still makes', async () => {
    const { ClientCapability } = twilio.jwt;
    const capability = new ClientCapability({ accountSid: ACCOUNT, authToken: AUTH_TOKEN, ttl: 600 });
    capability.addScope(new ClientCapability.IncomingClientScope('jenny'));
    capability.addScope(
      new ClientCapability.OutgoingClientScope({
        applicationSid: APPLICATION,
        clientName: 'jenny',
        params: { team: 'red' },
      }),
    );
    const outcome = await verify(capability.toJwt(), { nowMs: Date.now() });
    assert.ok(outcome.kind === 'ok');
    const { expiresAt: _, ...grant } = outcome.grant;
    assert.deepEqual(grant, {
      accountSid: ACCOUNT,
      identity: 'jenny',
      incoming: true,
      outgoingApplicationSid: APPLICATION,
      outgoingParameters: { team: 'red' },
    });
  });

  test('takes its own token', async () => {
    const outcome = await verify(await sign({ incoming: true, outgoingApplicationSid: APPLICATION }));
    assert.ok(outcome.kind === 'ok' && outcome.grant.incoming && outcome.grant.outgoingApplicationSid === APPLICATION);
  });

  test('each refusal has the number that the SDK knows', async () => {
    const good = await sign({ incoming: true });
    assert.equal(await codeOf(good), 'ok');
    assert.equal(await codeOf('junk'), 31204);
    assert.equal(await codeOf('x'.repeat(9000)), 31204);
    assert.equal(await codeOf(`${good.slice(0, -4)}AAAA`), 31202);
    assert.equal(await codeOf(await sign({ secret: 'another secret' })), 31202);
    assert.equal(await codeOf(await sign({ keySid: `SK${'9'.repeat(32)}` })), 31201);
    assert.equal(await codeOf(await sign({ accountSid: `AC${'9'.repeat(32)}` })), 31201);
    assert.equal(await codeOf(good, { nowMs: NOW_MS + 3_700_000 }), 31205);
    assert.equal(await codeOf(good, { active: false }), 31203);
    assert.equal(await codeOf(await sign({ ttlSeconds: 90_000 })), 31207);
    assert.equal(await codeOf(jwt({ ...claims, iat: seconds + 1e9, exp: seconds + 1e9 + 60 })), 31207);
    assert.equal(await codeOf(await sign({ identity: 'with blank' })), 31105);
    const long = await verify(await sign({ identity: 'x'.repeat(5000) }));
    assert.ok(long.kind === 'refused' && /at most 121 .*got 5000 characters/.test(long.reason));
    assert.equal(await codeOf(jwt({ ...claims, grants: { identity: 'jenny' } })), 31201);
    assert.equal(await codeOf(jwt({ ...claims, exp: undefined })), 31204);
    assert.equal(
      await codeOf(jwt({ iss: ACCOUNT, exp: seconds + 60, scope: 'scope:nothing' }, { secret: AUTH_TOKEN })),
      31201,
    );
  });

  test('an issuer that is no text is nobody, and looked up nowhere', async () => {
    for (const iss of [5, true, null, {}, [ACCOUNT]]) assert.equal(await codeOf(jwt({ ...claims, iss })), 31204);
  });

  test('a token that says it needs no signature is refused', async () => {
    const [, payload] = (await sign({ incoming: true })).split('.');
    const none = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`;
    assert.equal(await codeOf(none), 31204);
  });

  test('never throws, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => jwt({ ...claims, grants: value })),
        ),
        async (token) => {
          assert.ok(['ok', 'refused'].includes((await verify(token)).kind));
        },
      ),
    );
  });
});
