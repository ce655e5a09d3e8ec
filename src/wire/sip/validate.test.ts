import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withHeader } from './build.ts';
import { ABILITIES, messageOf, optionsRequest, requestOf } from './sample.fixture.ts';
import { validateRequest, validateResponse, type Verdict } from './validate.ts';

const verdictOn = (text: string): Verdict => validateRequest(requestOf(text), ABILITIES);
const ask = (lines: Readonly<Record<string, string>> = {}, body = ''): Verdict =>
  verdictOn(optionsRequest(lines, body));
const as = (method: string, lines: Readonly<Record<string, string>> = {}, body = ''): Verdict =>
  verdictOn(optionsRequest({ CSeq: `1 ${method}`, ...lines }, body).replace(/^OPTIONS/, method));

function statusOf(verdict: Verdict): number | string {
  return verdict.kind === 'reject' ? verdict.status : verdict.kind;
}

test('passes a plain request', () => {
  assert.deepEqual(ask(), { kind: 'ok' });
});

test('refuses with 400 what a request cannot do without', () => {
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq'])
    assert.equal(statusOf(verdictOn(optionsRequest().replace(new RegExp(`${name}: .*\n`), ''))), 400, name);
});

test('refuses with 400 single headers that come twice', () => {
  for (const line of ['f: <sip:x@y>;tag=2', 't: <sip:x@y>', 'i: x', 'cseq: 1 OPTIONS', 'max-forwards: 70'])
    assert.equal(statusOf(verdictOn(optionsRequest().replace('\n\n', `\n${line}\n\n`))), 400, line);
});

test('refuses with 400 values that cannot be read', () => {
  const broken = {
    Via: 'SIP/2.0/UDP',
    From: '"a <sip:a@b>',
    To: '<sip:a@b>, <sip:c@d>',
    'Call-ID': 'a b',
    CSeq: '1 INVITE',
    'Max-Forwards': '256',
    Expires: '-1',
    Contact: '*',
  };
  for (const [name, value] of Object.entries(broken)) assert.equal(statusOf(ask({ [name]: value })), 400, name);
});

test('says what was wrong', () => {
  const verdict = ask({ CSeq: '1 INVITE' });
  assert.equal(verdict.kind === 'reject' && verdict.defect, 'CSeq "1 INVITE": want the method OPTIONS');
});

test('answers an unknown method with 501, an unserved one with 405, both with Allow', () => {
  const unknown = as('JUMP');
  assert.equal(statusOf(unknown), 501);
  assert.equal(statusOf(as('PUBLISH')), 405);
  assert.deepEqual(unknown.kind === 'reject' && unknown.headers, [
    { name: 'Allow', value: ABILITIES.methods.join(', ') },
  ]);
});

test('methods count with their case', () => {
  assert.equal(statusOf(as('options')), 501);
});

test('refuses content that nobody reads, with Accept', () => {
  const verdict = as('INVITE', { 'Content-Type': 'text/html' }, 'x');
  assert.equal(statusOf(verdict), 415);
  assert.deepEqual(verdict.kind === 'reject' && verdict.headers, [{ name: 'Accept', value: 'application/sdp' }]);
  const packed = as('INVITE', { 'Content-Type': 'application/sdp', e: 'gzip' }, 'x');
  assert.deepEqual(packed.kind === 'reject' && packed.headers, [{ name: 'Accept-Encoding', value: 'identity' }]);
  assert.equal(statusOf(as('INVITE', {}, 'x')), 400);
});

test('lets optional content pass', () => {
  const disposition = { 'Content-Type': 'text/html', 'Content-Disposition': 'render;handling=optional' };
  assert.equal(statusOf(as('INVITE', disposition, 'x')), 'ok');
});

test('answers an INVITE that accepts anything with SDP among it', () => {
  for (const accept of ['*/*', 'text/plain, Application/SDP;q=0.5', 'application/*'])
    assert.equal(statusOf(as('INVITE', { Accept: accept })), 'ok', accept);
  assert.equal(statusOf(as('INVITE', { Accept: '' })), 406);
});

test('knows extensions without case, and never refuses a CANCEL for one', () => {
  assert.equal(statusOf(ask({ Require: 'Timer, REPLACES' })), 'ok');
  assert.equal(statusOf(ask({ Require: '100rel' })), 420);
  assert.equal(statusOf(as('CANCEL', { Require: '100rel' })), 'ok');
});

test('never answers an ACK', () => {
  assert.equal(statusOf(as('ACK', { Require: '100rel' })), 'drop');
});

test('tells bad Request-URIs apart: 400, 414, 416', () => {
  const asked = (uri: string): number | string =>
    statusOf(verdictOn(optionsRequest().replace('sip:user@example.com', uri)));
  assert.deepEqual(['sip:', 'sip:a@b c', '<sip:a@b>', 'nothing', 'sip:a@b?x=y'].map(asked), [400, 400, 400, 400, 400]);
  assert.deepEqual([`sip:${'a'.repeat(9000)}@b`, 'http://a', 'tel:+1555', 'sips:a@b'].map(asked), [
    414,
    416,
    'ok',
    'ok',
  ]);
});

test('takes * as Contact of a REGISTER that removes everything', () => {
  assert.equal(statusOf(as('REGISTER', { Contact: '*', Expires: '0' })), 'ok');
  assert.equal(statusOf(as('REGISTER', { Contact: '*', Expires: '60' })), 400);
  assert.equal(statusOf(as('REGISTER', { Contact: '*' })), 400);
});

test('drops responses that belong to nobody', () => {
  const text = optionsRequest().replace(/^.*\n/, 'SIP/2.0 200 OK\n');
  const response = (each: string): Verdict => {
    const message = messageOf(each);
    return message.kind === 'response' ? validateResponse(message) : assert.fail('want a response');
  };
  assert.equal(response(text).kind, 'ok');
  for (const broken of ['SIP/2.0 099 x\n', 'SIP/2.0 700 x\n', 'SIP/3.0 200 OK\n'])
    assert.equal(response(text.replace(/^.*\n/, broken)).kind, 'drop', broken);
  assert.equal(response(text.replace('Via', 'X')).kind, 'drop');
  assert.equal(response(text.replace('CSeq', 'X')).kind, 'drop');
  assert.equal(response(text.replace('\n\n', '\nContent-Length: 5\n\n')).kind, 'drop');
  const two = messageOf(text.replace('Via: ', 'Via: SIP/2.0/UDP a;branch=z9hG4bK1, '));
  assert.equal(two.kind === 'response' && validateResponse(two).kind, 'drop');
  assert.equal(two.kind === 'response' && validateResponse(two, { manyVias: true }).kind, 'ok');
});

test('serves RFC 2543: no tag, no branch, no Max-Forwards', () => {
  const request = requestOf(optionsRequest({ Via: 'SIP/2.0/UDP h', From: 'sip:a@b' }).replace(/Max-Forwards.*\n/, ''));
  assert.equal(validateRequest(request, ABILITIES).kind, 'ok');
  assert.equal(validateRequest(withHeader(request, 'Max-Forwards', '0'), ABILITIES).kind, 'ok');
});
