import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appendHeader,
  prependHeader,
  replaceFirstHeader,
  responseTo,
  withContent,
  withHeader,
  withoutHeader,
} from './build.ts';
import { header, headers } from './message.ts';
import { optionsRequest, requestOf } from './sample.fixture.ts';

const request = requestOf(
  optionsRequest({
    v: 'SIP/2.0/TCP second;branch=z9hG4bK2',
    'Record-Route': '<sip:p;lr>',
    Timestamp: '54',
    Subject: 'x',
  }),
);

test('copies what a response must have, as it came', () => {
  const response = responseTo(request, { status: 200 });
  assert.equal(response.reason, 'OK');
  assert.deepEqual(headers(response, 'Via'), headers(request, 'Via'));
  for (const name of ['From', 'To', 'Call-ID', 'CSeq']) assert.equal(header(response, name), header(request, name));
  for (const name of ['Record-Route', 'Timestamp', 'Subject', 'Max-Forwards'])
    assert.equal(header(response, name), undefined);
});

test('adds a tag to To only where there is none', () => {
  assert.equal(header(responseTo(request, { status: 200, toTag: 't' }), 'To'), '<sip:user@example.com>;tag=t');
  const tagged = withHeader(request, 'To', '<sip:user@example.com>;tag=old');
  assert.equal(header(responseTo(tagged, { status: 200, toTag: 't' }), 'To'), '<sip:user@example.com>;tag=old');
});

test('answers even a request whose To cannot be read', () => {
  assert.equal(header(responseTo(withHeader(request, 'To', '"a'), { status: 400, toTag: 't' }), 'To'), '"a');
});

test('copies Record-Route when asked, Timestamp into a 100', () => {
  assert.equal(header(responseTo(request, { status: 180, recordRoute: true }), 'Record-Route'), '<sip:p;lr>');
  assert.equal(header(responseTo(request, { status: 100 }), 'Timestamp'), '54');
});

test('knows the reason of every class', () => {
  assert.deepEqual(
    [486, 499, 799].map((status) => responseTo(request, { status }).reason),
    ['Busy Here', 'Bad Request', 'Unknown'],
  );
});

test('edits headers without touching the message', () => {
  const before = structuredClone(request.headers);
  assert.deepEqual(headers(withHeader(request, 'Via', 'x'), 'Via'), ['x']);
  assert.equal(withHeader(request, 'Via', 'x').headers[0]?.value, 'x');
  assert.equal(header(withHeader(request, 'New', 'x'), 'New'), 'x');
  assert.deepEqual(headers(withoutHeader(request, 'Via'), 'Via'), []);
  assert.equal(prependHeader(request, 'Via', 'x').headers[0]?.value, 'x');
  assert.equal(appendHeader(request, 'Via', 'x').headers.at(-1)?.value, 'x');
  assert.deepEqual(headers(replaceFirstHeader(request, 'Via', 'x'), 'Via'), [
    'x',
    'SIP/2.0/TCP second;branch=z9hG4bK2',
  ]);
  assert.equal(replaceFirstHeader(request, 'None', 'x'), request);
  assert.deepEqual(request.headers, before);
});

test('sets a body with its type, and takes the type away with the body', () => {
  const filled = withContent(request, Uint8Array.of(1), 'application/sdp');
  assert.deepEqual(headers(filled, 'Content-Type'), ['application/sdp']);
  assert.equal(header(withContent(filled, new Uint8Array()), 'Content-Type'), undefined);
});
