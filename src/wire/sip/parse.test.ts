import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header, headers, type SipMessage } from './message.ts';
import { MAX_HEADER_LINES, parseDatagram } from './parse.ts';
import { bytesOf, messageOf, optionsRequest } from './sample.fixture.ts';

const text = (message: SipMessage): string => new TextDecoder().decode(message.body);

test('takes the body to the end of the datagram without Content-Length', () => {
  assert.equal(text(messageOf(optionsRequest({}, 'hello'))), 'hello');
});

test('drops bytes behind Content-Length', () => {
  const message = messageOf(optionsRequest({ 'Content-Length': '3' }, 'hello'));
  assert.deepEqual([text(message), message.defect], ['hel', undefined]);
});

test('marks a datagram that is too short, and keeps what came', () => {
  const message = messageOf(optionsRequest({ l: '9' }, 'hello'));
  assert.equal(text(message), 'hello');
  assert.equal(message.defect, 'Content-Length 9, but 5 bytes came');
});

test('marks a Content-Length that is no number of digits', () => {
  for (const value of ['-1', '+1', '1 2', '', '0x5', '99999999999999999999'])
    assert.match(messageOf(optionsRequest({ 'Content-Length': value }, 'hello')).defect ?? '', /Content-Length/, value);
});

test('accepts the same Content-Length twice, marks two different ones', () => {
  assert.equal(messageOf(optionsRequest({ 'Content-Length': '5', l: '5' }, 'hello')).defect, undefined);
  assert.match(messageOf(optionsRequest({ 'Content-Length': '5', l: '4' }, 'hello')).defect ?? '', /two values/);
});

test('swallows keep-alives: empty lines, NULs, nothing at all', () => {
  for (const bytes of ['\r\n', '\r\n\r\n', '\0', '\0\0\0\0', ''])
    assert.deepEqual(parseDatagram(new TextEncoder().encode(bytes)), { kind: 'need-more' });
});

test('skips empty lines before the start line', () => {
  assert.equal(messageOf(`\n\n${optionsRequest()}`).defect, undefined);
});

test('refuses what is not SIP', () => {
  for (const line of [
    'GET / HTTP/1.1',
    'OPTIONS sip:a',
    'OPTIONS sip:a SIP/x',
    ' OPTIONS sip:a SIP/2.0',
    'OP@ONS sip:a SIP/2.0',
    '\ufeffSIP/2.0 200 OK',
    'SIP/2.0 2x0 OK',
    'SIP/2.0',
  ])
    assert.equal(parseDatagram(bytesOf(`${line}\nVia: x\n\n`)).kind, 'bad', line);
});

test('names long, short and mixed-case headers in one spelling and keeps the order', () => {
  const message = messageOf(
    'OPTIONS sip:a@b SIP/2.0\nVIA: 1\nv: 2\nX-Own: 3\nvia : 4\nk: a\nSUPPORTED: b\nconstructor: c\n\n',
  );
  assert.deepEqual(headers(message, 'Via'), ['1', '2', '4']);
  assert.deepEqual(headers(message, 'Supported'), ['a', 'b']);
  assert.equal(header(message, 'X-Own'), '3');
  assert.equal(header(message, 'constructor'), 'c');
});

test('joins folded lines by one space', () => {
  const message = messageOf('OPTIONS sip:a@b SIP/2.0\nSubject: one\n\t two  \n   three\nTo:\n <sip:a@b>\n\n');
  assert.equal(header(message, 'Subject'), 'one two three');
  assert.equal(header(message, 'To'), '<sip:a@b>');
});

test('marks header lines that are none, and keeps the others', () => {
  const message = messageOf('OPTIONS sip:a@b SIP/2.0\nno colon here\nTo: <sip:a@b>\nbad name: x\n: y\n\n');
  assert.match(message.defect ?? '', /no colon here/);
  assert.deepEqual(message.headers, [{ name: 'To', value: '<sip:a@b>' }]);
});

test('marks a message without the empty line after its headers', () => {
  assert.match(messageOf('OPTIONS sip:a@b SIP/2.0\nTo: <sip:a@b>\n').defect ?? '', /empty line/);
});

test('reads a message of bare line feeds, so that it can be refused', () => {
  const message = messageOf(new TextEncoder().encode('OPTIONS sip:a@b SIP/2.0\nTo: <sip:a@b>\n\nbody'));
  assert.equal(header(message, 'To'), '<sip:a@b>');
  assert.match(message.defect ?? '', /CRLF/);
  assert.equal(text(message), 'body');
});

test('never leaves a line break in a value', () => {
  const message = messageOf(new TextEncoder().encode('OPTIONS sip:a@b SIP/2.0\r\nSubject: a\rTo: b\r\n\r\n'));
  assert.equal(header(message, 'Subject'), 'a To: b');
  assert.match(message.defect ?? '', /carriage return/);
});

test('replaces bytes that are not UTF-8', () => {
  const bytes = bytesOf('OPTIONS sip:a@b SIP/2.0\nSubject: caf?\n\n');
  bytes[bytes.lastIndexOf('?'.charCodeAt(0))] = 0xe9;
  assert.equal(header(messageOf(bytes), 'Subject'), 'caf\ufffd');
});

test('keeps a bounded number of header lines', () => {
  const message = messageOf(`OPTIONS sip:a@b SIP/2.0\n${'X: y\n'.repeat(MAX_HEADER_LINES + 1)}\n`);
  assert.equal(message.headers.length, MAX_HEADER_LINES);
  assert.match(message.defect ?? '', /header lines/);
});

test('the body does not share memory with the datagram', () => {
  const bytes = bytesOf(optionsRequest({}, 'hello'));
  const message = messageOf(bytes);
  bytes.fill(0);
  assert.equal(text(message), 'hello');
});

test('writes the version in upper case', () => {
  assert.equal(messageOf('OPTIONS sip:a@b sip/2.0\nTo: x\n\n').version, 'SIP/2.0');
  assert.equal(messageOf('sip/2.0 200 OK\nTo: x\n\n').version, 'SIP/2.0');
});

test('a status with more digits than any number holds is no status line', () => {
  for (const code of ['99999999999999999999999', '9'.repeat(400)]) {
    assert.equal(parseDatagram(bytesOf(`SIP/2.0 ${code} x\n\n`)).kind, 'bad');
  }
  assert.equal(parseDatagram(bytesOf('SIP/2.0 4294967301 better not break the receiver\n\n')).kind, 'ok');
});
