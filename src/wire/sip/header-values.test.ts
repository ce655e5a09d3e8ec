import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as values from './header-values.ts';

test('reads CSeq, with its limits', () => {
  assert.deepEqual(values.parseCSeq(' 0009 \t INVITE '), { sequence: 9, method: 'INVITE' });
  assert.deepEqual(values.parseCSeq('4294967295 ACK'), { sequence: 4_294_967_295, method: 'ACK' });
  for (const text of [
    '',
    '1',
    'INVITE',
    '4294967296 INVITE',
    '-1 INVITE',
    '1 INVITE x',
    '1 IN@VITE',
    '1.0 INVITE',
    '1e3 INVITE',
  ])
    assert.equal(values.parseCSeq(text), undefined, text);
});

test('reads RAck', () => {
  assert.deepEqual(values.parseRAck('776656 1 INVITE'), { responseSequence: 776_656, sequence: 1, method: 'INVITE' });
  assert.equal(values.parseRAck('776656 INVITE'), undefined);
});

test('reads and writes Session-Expires', () => {
  assert.deepEqual(values.parseSessionExpires('1800;refresher=UAC'), { seconds: 1800, refresher: 'uac' });
  assert.deepEqual(values.parseSessionExpires('90;x=y'), { seconds: 90 });
  assert.equal(values.parseSessionExpires('soon'), undefined);
  assert.equal(values.formatSessionExpires({ seconds: 90, refresher: 'uas' }), '90;refresher=uas');
});

test('reads numbers of digits only, and cuts Expires at 2^32 - 1', () => {
  assert.deepEqual(
    ['070', ' 1 ', '-1', '4294967296', ''].map((text) => values.parseNumber(text)),
    [70, 1, undefined, undefined, undefined],
  );
  assert.deepEqual(['60', '9'.repeat(90), 'x'].map(values.parseExpires), [60, 4_294_967_295, undefined]);
});

test('reads Event, Subscription-State and their like', () => {
  assert.deepEqual(values.parseValue('refer;id=93809824'), {
    value: 'refer',
    parameters: [{ name: 'id', value: '93809824' }],
  });
  assert.deepEqual(values.parseValue('terminated;reason=noresource'), {
    value: 'terminated',
    parameters: [{ name: 'reason', value: 'noresource' }],
  });
  for (const text of ['', ';x', 'a b', 'a;;', '"a"']) assert.equal(values.parseValue(text), undefined, text);
});

test('reads media types without case and parameters', () => {
  assert.equal(values.mediaType('Application / SDP ; charset=utf-8'), 'application/sdp');
  for (const text of ['', 'sdp', '/sdp', 'a/', 'a/b/c', 'a b/c']) assert.equal(values.mediaType(text), undefined, text);
});

test('reads and writes Replaces', () => {
  const replaces = { callId: '98732@sip.example.com', toTag: 'ff87ff', fromTag: 'r33th4x0r', earlyOnly: true };
  const text = '98732@sip.example.com;to-tag=ff87ff;from-tag=r33th4x0r;early-only';
  assert.deepEqual(values.parseReplaces(text), replaces);
  assert.equal(values.formatReplaces(replaces), text);
  assert.equal(values.parseReplaces('98732@sip.example.com;to-tag=ff87ff'), undefined);
});

test('finds the dialog that a Refer-To replaces', () => {
  const referTo = values.parseReferTo(
    '<sip:bob@biloxi.com?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>',
  );
  assert.deepEqual(referTo?.replaces, {
    callId: '12345@192.168.118.3',
    toTag: '12345',
    fromTag: '5FFE-3994',
    earlyOnly: false,
  });
  assert.deepEqual(values.parseReferTo('sip:alice@atlanta.com'), {
    address: { uri: 'sip:alice@atlanta.com', parameters: [] },
  });
});

test('reads Retry-After with comment and parameters', () => {
  const texts = ['18000;duration=3600', '120 (I am in a meeting)', '5', 'soon', '949302838503028349304023988'];
  assert.deepEqual(texts.map(values.parseRetryAfter), [18_000, 120, 5, undefined, undefined]);
});

test('reads and writes the status in a sipfrag', () => {
  assert.deepEqual(values.parseSipfragStatus('SIP/2.0 486 Busy Here\r\nTo: x\r\n'), {
    status: 486,
    reason: 'Busy Here',
  });
  assert.deepEqual(values.parseSipfragStatus('SIP/2.0 100'), { status: 100, reason: '' });
  assert.equal(values.parseSipfragStatus('INVITE sip:a@b SIP/2.0\r\n'), undefined);
  assert.equal(values.formatSipfragStatus(200, 'OK'), 'SIP/2.0 200 OK\r\n');
});

test('a Replaces whose tags are no tokens names no dialog', () => {
  assert.equal(values.parseReplaces('a@h;to-tag=1;from-tag="2;to-tag=3"'), undefined);
  assert.equal(values.parseReplaces('a@h;to-tag=;from-tag=2'), undefined);
  assert.equal(values.parseReplaces('a@h;to-tag=1;from-tag=2')?.fromTag, '2');
});
