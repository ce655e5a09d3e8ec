import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSessionDescription } from '../sdp/session.ts';
import { parseAddress, parseAddressList } from './address.ts';
import { headers } from './message.ts';
import { parameter } from './parameters.ts';
import { ABILITIES, optionsRequest, requestOf } from './sample.fixture.ts';
import { formatSipUri, parseSipUri, sameSipUri, type SipUri } from './uri.ts';
import { validateRequest } from './validate.ts';
import { formatVia, parseVia } from './via.ts';

function uri(text: string): SipUri {
  return parseSipUri(text) ?? assert.fail(`not read: ${text}`);
}

function answerTo(requestUri: string, via = 'SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111'): string {
  const text = optionsRequest({ Via: via }).replace('sip:user@example.com', requestUri);
  const verdict = validateRequest(requestOf(text), ABILITIES);
  return verdict.kind === 'reject' ? String(verdict.status) : verdict.kind;
}

test('RFC 5118 4.1: reads IPv6 references in URI, Via and Contact', () => {
  assert.equal(answerTo('sip:[2001:db8::10]'), 'ok');
  assert.equal(parseVia('SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111')?.host, '2001:db8::9:1');
  assert.equal(uri(parseAddress('"Caller" <sip:caller@[2001:db8::1]>')?.uri ?? '').host, '2001:db8::1');
});

test('RFC 5118 4.2: refuses an IPv6 address without brackets with 400', () => {
  assert.equal(answerTo('sip:2001:db8::10'), '400');
});

test('RFC 5118 4.3: a number inside the brackets belongs to the address, not the port', () => {
  assert.deepEqual(
    [uri('sip:[2001:db8::10:5070]').host, uri('sip:[2001:db8::10:5070]').port],
    ['2001:db8::10:5070', undefined],
  );
});

test('RFC 5118 4.4: a number behind the brackets is the port', () => {
  assert.deepEqual([uri('sip:[2001:db8::10]:5070').host, uri('sip:[2001:db8::10]:5070').port], ['2001:db8::10', 5070]);
});

test('RFC 5118 4.5: reads `received` with brackets and without', () => {
  for (const received of ['[2001:db8::9:255]', '2001:db8::9:255']) {
    const via = parseVia(`SIP/2.0/UDP [2001:db8::9:1];received=${received};branch=z9hG4bKas3`);
    assert.equal(via && parameter(via.parameters, 'received'), received);
  }
});

test('RFC 5118 4.6, 4.8: reads IPv6 beside IPv4 in a session description', () => {
  const text =
    'v=0\r\no=bob 280744730 28977631 IN IP6 host.example.com\r\ns=\r\nt=0 0\r\n' +
    'm=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\nm=video 6024 RTP/AVP 107\r\nc=IN IP4 192.0.2.1\r\n';
  const session = parseSessionDescription(text);
  assert.deepEqual(session.kind === 'ok' && session.value.media.map(({ address }) => address), [
    '2001:db8::1',
    '192.0.2.1',
  ]);
});

test('RFC 5118 4.7: reads IPv6 and IPv4 hops of one message', () => {
  const request = requestOf(
    optionsRequest({
      Via: 'SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144',
      Route: '<sip:[2001:db8::9:255];lr>, <sip:192.0.2.254;lr>',
    }),
  );
  assert.equal(validateRequest(request, ABILITIES).kind, 'ok');
  const hosts = parseAddressList(headers(request, 'Route'))?.map((hop) => uri(hop.uri).host);
  assert.deepEqual(hosts, ['2001:db8::9:255', '192.0.2.254']);
});

test('RFC 5118 4.9: reads IPv4-mapped addresses', () => {
  assert.deepEqual(
    [
      uri('sip:T_desk@[::ffff:192.0.2.2]:5060').host,
      parseVia('SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19')?.port,
    ],
    ['::ffff:192.0.2.2', 19823],
  );
});

test('RFC 5118 4.10: understands three colons and never writes them', () => {
  assert.equal(formatSipUri(uri('sip:user@[2001:db8:::192.0.2.1]')), 'sip:user@[2001:db8::192.0.2.1]');
  assert.equal(
    formatVia(parseVia('SIP/2.0/UDP [2001:db8:::192.0.2.1];branch=z9hG4bK1') ?? assert.fail('not read')),
    'SIP/2.0/UDP [2001:db8::192.0.2.1];branch=z9hG4bK1',
  );
});

test('RFC 5954 5.2: IPv6 hosts are equal by their bits', () => {
  assert.ok(sameSipUri(uri('sip:a@[2001:db8::9:1]'), uri('sip:a@[2001:DB8:0:0:0:0:9:01]')));
  assert.ok(sameSipUri(uri('sip:a@[2001:db8::192.0.2.1]'), uri('sip:a@[2001:db8::c000:201]')));
  assert.ok(!sameSipUri(uri('sip:a@[2001:db8::1]'), uri('sip:a@[2001:db8::2]')));
});

test('refuses what looks like an IPv6 address and is none', () => {
  for (const host of [
    '[]',
    '[::1',
    '::1]',
    '[1:2:3:4:5:6:7]',
    '[1::2::3]',
    '[12345::]',
    '[g::]',
    '[::1.2.3]',
    '[::1]x',
    '[fe80::1%25eth0]',
  ])
    assert.equal(parseSipUri(`sip:a@${host}`), undefined, host);
});
