import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { describeParameters, describeSdp, describeSip } from './describe.ts';

const SDP = [
  'v=0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 0 111 126',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:126 telephone-event/8000',
  'a=ice-ufrag:UFRAG',
  'a=ice-pwd:ICEPASSWORD',
  'a=fingerprint:sha-256 AA:BB',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEYMATERIAL',
  'a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host',
  'a=setup:actpass',
  '',
].join('\r\n');

const INVITE = [
  'INVITE sip:bob:PASSWORD@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
  'f: "Alice" <sip:alice@example.com>;tag=1',
  't: <sip:bob@example.com>',
  'i: dialog-1@192.0.2.1',
  'CSeq: 7 INVITE',
  'Authorization: Digest username="alice", response="RESPONSE"',
  'X-Tandem-Loop: LOOPSECRET;1',
  'c: application/sdp',
  '',
  SDP,
].join('\r\n');

suite('what a trace shows of a message', () => {
  test('names a SIP request, to whom and from whom it is, and its codecs', () => {
    assert.deepEqual(describeSip(INVITE), {
      callId: 'dialog-1@192.0.2.1',
      method: 'INVITE',
      isReply: false,
      text: 'INVITE',
      detail:
        'sip:bob@example.com; SDP PCMU, opus; DTLS actpass; 1 candidate; From: "Alice" <sip:alice@example.com>; To: <sip:bob@example.com>',
    });
  });

  test('shows no credentials, keys, passwords or proofs', () => {
    const shown = JSON.stringify(describeSip(INVITE)) + describeSdp(SDP);
    for (const secret of ['PASSWORD', 'RESPONSE', 'LOOPSECRET', 'ICEPASSWORD', 'UFRAG', 'KEYMATERIAL', 'AA:BB'])
      assert.ok(!shown.includes(secret), `${secret} is in ${shown}`);
  });

  test('says of an answer to what it answers, where that is not an INVITE', () => {
    const answer = (method: string): string =>
      `SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`;
    assert.equal(describeSip(answer('INVITE'))?.text, '200 OK');
    assert.equal(describeSip(answer('BYE'))?.text, '200 OK (BYE)');
    assert.equal(describeSip(answer('BYE'))?.isReply, true);
  });

  test('shows the key of an INFO', () => {
    const info =
      'INFO sip:a@b SIP/2.0\r\nCall-ID: 1\r\nCSeq: 2 INFO\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=100';
    assert.equal(describeSip(info)?.detail, 'Signal=5 Duration=100');
  });

  test('hides parameters whose names say that they are secret', () => {
    assert.equal(
      describeParameters({ To: 'bob', accessToken: 'x', PASSWORD: 'y', order: '7' }, { first: ['order'] }),
      'order=7 To=bob accessToken=[hidden] PASSWORD=[hidden]',
    );
  });

  test('never throws, whatever a message is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(INVITE.length), (noise, at) => {
        describeSip(noise);
        describeSip(INVITE.slice(0, at) + noise + INVITE.slice(at));
        describeSdp(noise);
      }),
    );
  });
});
