import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iceDtlsOf, MAX_CANDIDATES, type RawIceDtls } from './ice-dtls.ts';
import { formatSessionDescription, parseSessionDescription } from './session.ts';
import { answerAudioOffer, makeAudioOffer } from './negotiate.ts';

const HASH = Array.from({ length: 32 }, (_, at) => (at + 0xa0).toString(16)).join(':');
const HOST = { foundation: 1, component: 1, transport: 'UDP', priority: 2_113_937_151, ip: '192.0.2.9', port: 4000 };
const GOOD: RawIceDtls = {
  iceUfrag: 'Py+a',
  icePwd: 'UWxecPlFxBMDEMwmQZ0a7v02',
  fingerprint: { type: 'SHA-256', hash: HASH },
  setup: 'actpass',
  candidates: [{ ...HOST, type: 'host' }],
};

test('reads the keys of a browser, and those that stand in the session', () => {
  const expected = {
    ufrag: 'Py+a',
    password: 'UWxecPlFxBMDEMwmQZ0a7v02',
    fingerprint: { algorithm: 'sha-256', value: HASH.toUpperCase() },
    setup: 'actpass',
    candidates: [{ foundation: '1', priority: 2_113_937_151, address: '192.0.2.9', port: 4000, type: 'host' }],
  };
  assert.deepEqual(iceDtlsOf(GOOD, {}), expected);
  const { fingerprint, setup, ...rest } = GOOD;
  assert.deepEqual(iceDtlsOf(rest, { ...(fingerprint && { fingerprint }), ...(setup && { setup }) }), expected);
});

test('has nothing to say of keys that are missing, weak or no keys', () => {
  const wrong: readonly RawIceDtls[] = [
    { ...GOOD, iceUfrag: 'abc' },
    { ...GOOD, iceUfrag: 'ab cd' },
    { ...GOOD, icePwd: 'short' },
    { ...GOOD, icePwd: 'a'.repeat(257) },
    { ...GOOD, setup: 'holdconn' },
    { ...GOOD, fingerprint: { type: 'sha-1', hash: HASH.slice(0, 59) } },
    { ...GOOD, fingerprint: { type: 'sha-256', hash: HASH.slice(3) } },
    { ...GOOD, fingerprint: { type: 'sha-256', hash: HASH.replace('a1', 'zz') } },
  ];
  for (const raw of wrong) assert.equal(iceDtlsOf(raw, {}), undefined, JSON.stringify(raw));
});

test('keeps candidates that are one host over UDP, and no more than it has use for', () => {
  const strange = [
    { ...HOST, type: 'host', transport: 'tcp' },
    { ...HOST, type: 'host', component: 2 },
    { ...HOST, type: 'host', ip: 'printer.local' },
    { ...HOST, type: 'host', ip: '239.1.1.1' },
    { ...HOST, type: 'host', ip: '255.255.255.255' },
    { ...HOST, type: 'host', port: 0 },
    { ...HOST, type: 'host', priority: 'high' },
    { ...HOST, type: 'host', foundation: 'a b' },
    { ...HOST, type: 'other' },
  ];
  assert.deepEqual(iceDtlsOf({ ...GOOD, candidates: strange }, {})?.candidates, []);
  const many = Array.from({ length: 1_000 }, (_, at) => ({ ...HOST, type: 'host', port: 4000 + at }));
  assert.equal(iceDtlsOf({ ...GOOD, candidates: many }, {})?.candidates.length, MAX_CANDIDATES);
});

test('is read as it was written, and a refused section keeps its name', () => {
  const iceDtls = iceDtlsOf(GOOD, {});
  assert.ok(iceDtls !== undefined);
  const local = { address: '192.0.2.9', port: 4000, sessionId: '1', version: 1 };
  const secure = { iceDtls, source: { ssrc: 42, cname: 'us' } };
  const text = formatSessionDescription(makeAudioOffer({ ...local, secure }));
  const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n';
  const offer = parseSessionDescription(text + video);
  assert.ok(offer.kind === 'ok');
  assert.deepEqual(offer.value.media[0]?.iceDtls, iceDtls);
  const answer = answerAudioOffer(offer.value, {
    ...local,
    secure: { ...secure, iceDtls: { ...iceDtls, setup: 'active' } },
  });
  assert.ok(answer.kind === 'ok');
  const answered = formatSessionDescription(answer.answer);
  assert.match(answered, /^a=group:BUNDLE 0\r$/m);
  assert.match(answered, /^m=video 0 UDP\/TLS\/RTP\/SAVPF 96\r\n(.*\r\n)*a=mid:1\r$/m);
  assert.deepEqual(answer.negotiated.secure, { iceDtls, mid: '0' });
  assert.equal(answerAudioOffer(offer.value, local).kind, 'not-acceptable');
});
