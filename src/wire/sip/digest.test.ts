import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as digest from './digest.ts';

const NODE_NAMES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };
const hash: digest.DigestHash = (algorithm, text) => createHash(NODE_NAMES[algorithm]).update(text).digest('hex');

// RFC 7616 3.9.1
const RFC_7616 = { username: 'Mufasa', realm: 'http-auth@example.org', password: 'Circle of Life' };
const NONCE = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
const CLIENT_NONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

for (const [algorithm, expected] of [
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
] as const)
  test(`RFC 7616 3.9.1: ${algorithm}`, () => {
    const ha1 = digest.digestHa1(hash, algorithm, RFC_7616);
    const protection = { clientNonce: CLIENT_NONCE, nonceCount: '00000001' };
    const input = { algorithm, ha1, nonce: NONCE, method: 'GET', uri: '/dir/index.html', protection };
    assert.equal(digest.digestResponse(hash, input), expected);
  });

test('RFC 2617 3.5: MD5', () => {
  const authorization = digest.answerChallenge(hash, {
    challenge:
      digest.parseChallenge(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
      ) ?? assert.fail('not read'),
    ...{ username: 'Mufasa', password: 'Circle Of Life', method: 'GET', uri: '/dir/index.html' },
    ...{ clientNonce: '0a4f113b', nonceCount: 1 },
  });
  assert.equal(authorization.response, '6629fae49393a05397450978507c4ef1');
  assert.equal(authorization.opaque, '5ccc069c403ebaf9f0171e9517f40e41');
});

test('answers a challenge without qop the old way', () => {
  const challenge = digest.parseChallenge('Digest realm="r", nonce="n"') ?? assert.fail('not read');
  assert.deepEqual([challenge.qopAuth, challenge.algorithm], [false, 'MD5']);
  const user = { username: 'u', password: 'p', method: 'REGISTER', uri: 'sip:h', clientNonce: 'c', nonceCount: 1 };
  const authorization = digest.answerChallenge(hash, { challenge, ...user });
  assert.equal(authorization.response, hash('MD5', `${hash('MD5', 'u:r:p')}:n:${hash('MD5', 'REGISTER:sip:h')}`));
  assert.equal(authorization.protection, undefined);
});

test('challenge and authorization are read as they were written', () => {
  const challenge = {
    realm: 'a "b" \\',
    nonce: 'n,=',
    algorithm: 'SHA-512-256',
    qopAuth: true,
    stale: true,
    opaque: 'o',
  } as const;
  assert.deepEqual(digest.parseChallenge(digest.formatChallenge(challenge)), challenge);
  const authorization: digest.DigestAuthorization = {
    ...{ username: 'ü "x"', realm: 'r', nonce: 'n', uri: 'sip:h;a=b', response: 'ab12', opaque: '' },
    algorithm: 'SHA-256',
    protection: { clientNonce: 'c', nonceCount: '0000000a' },
  };
  assert.deepEqual(digest.parseAuthorization(digest.formatAuthorization(authorization)), authorization);
});

test('nc, qop and algorithm are written without quotes, uri with them', () => {
  const text = digest.formatAuthorization({
    ...{ username: 'u', realm: 'r', nonce: 'n', uri: 'sip:h', response: 'x', algorithm: 'MD5' },
    protection: { clientNonce: 'c', nonceCount: digest.formatNonceCount(10) },
  });
  assert.equal(
    text,
    'Digest username="u", realm="r", nonce="n", uri="sip:h", response="x", algorithm=MD5, qop=auth, nc=0000000a, cnonce="c"',
  );
});

test('reads what phones write: quoted qop and algorithm, unquoted URI, any case, stray commas', () => {
  const read = digest.parseAuthorization(
    'digest USERNAME="u",realm="r",,nonce="n", uri=sip:h:5060;x=y,response="AB",algorithm="md5",qop="auth",nc=00000001,cnonce="c",',
  );
  assert.deepEqual(read, {
    ...{ username: 'u', realm: 'r', nonce: 'n', uri: 'sip:h:5060;x=y', response: 'ab', algorithm: 'MD5' },
    protection: { clientNonce: 'c', nonceCount: '00000001' },
  });
});

test('refuses credentials that cannot be checked', () => {
  const base = 'Digest username="u", realm="r", nonce="n", uri="sip:h", response="ab"';
  assert.notEqual(digest.parseAuthorization(base), undefined);
  for (const text of [
    '',
    'Basic dTpw',
    'Digest',
    'Digest username="u"',
    'Digest username="u',
    `${base}, nonce="m"`,
    `${base}, qop=auth`,
    `${base}, qop=auth-int, nc=00000001, cnonce="c"`,
    `${base}, qop=auth, nc=1, cnonce="c"`,
    `${base}, algorithm=MD5-sess`,
    `${base} x`,
    `${base}, =x`,
  ])
    assert.equal(digest.parseAuthorization(text), undefined, text);
});

test('takes the topmost challenge that it knows', () => {
  const lines = [
    'Basic realm="r"',
    'Digest realm="r", nonce="1", algorithm=SHA-3',
    'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth"',
    'Digest realm="r", nonce="3"',
  ];
  assert.equal(digest.chooseChallenge(lines)?.nonce, '2');
  assert.equal(digest.parseChallenge('Digest realm="r", nonce="n", qop="auth-int"'), undefined);
  assert.equal(digest.parseChallenge('Digest realm="r", nonce="n", qop=""')?.qopAuth, false);
});

test('credentials whose response is not hexadecimal are none', () => {
  const line = (response: string): string =>
    `Digest username="u", realm="r", nonce="n", uri="sip:h", response="${response}", qop=auth, nc=00000001, cnonce="c"`;
  assert.equal(digest.parseAuthorization(line('0123456789\\"abcdef')), undefined);
  assert.equal(digest.parseAuthorization(line('')), undefined);
  assert.equal(digest.parseAuthorization(line('0123456789ABCDEF'))?.response, '0123456789abcdef');
});
