import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, optionsRequest } from './sample.fixture.ts';
import { StreamFramer, type StreamEvent } from './stream-framer.ts';

function withLength(body: string, extra: Readonly<Record<string, string>> = {}): Uint8Array {
  return bytesOf(optionsRequest({ ...extra, 'Content-Length': String(body.length) }, body));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const kinds = (events: readonly StreamEvent[]): readonly string[] => events.map(({ kind }) => kind);
const bodies = (events: readonly StreamEvent[]): readonly string[] =>
  events.map((event) => (event.kind === 'message' ? new TextDecoder().decode(event.message.body) : event.kind));

test('takes many messages out of one read', () => {
  const events = new StreamFramer().push(joined(withLength('one'), withLength(''), withLength('three')));
  assert.deepEqual(bodies(events), ['one', '', 'three']);
});

test('gives the same messages however the stream is cut', () => {
  const stream = joined(
    withLength('one'),
    bytesOf('\n\n'),
    withLength('', { 'Call-ID': 'x' }),
    withLength('x'.repeat(5000)),
  );
  const whole = new StreamFramer().push(stream).filter(({ kind }) => kind === 'message');
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 }), (sizes) => {
      const framer = new StreamFramer();
      const events: StreamEvent[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = sizes[turn % sizes.length] as number;
        events.push(...framer.push(stream.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        events.filter(({ kind }) => kind === 'message'),
        whole,
      );
      assert.equal(framer.midMessage, false);
    }),
    { numRuns: 60 },
  );
});

test('knows when a message has begun and is not complete', () => {
  const framer = new StreamFramer();
  const bytes = withLength('hello');
  assert.equal(framer.midMessage, false);
  framer.push(bytes.subarray(0, bytes.length - 1));
  assert.equal(framer.midMessage, true);
  framer.push(bytes.subarray(bytes.length - 1));
  assert.equal(framer.midMessage, false);
});

test('tells a ping, a pong, and answers a flood of empty lines once', () => {
  const framer = new StreamFramer();
  assert.deepEqual(kinds(framer.push(bytesOf('\n\n'))), ['ping']);
  assert.deepEqual(kinds(framer.push(bytesOf('\n'))), ['pong']);
  assert.deepEqual(kinds(framer.push(bytesOf('\n'.repeat(9999)))), ['ping']);
  assert.deepEqual(kinds(framer.push(joined(bytesOf('\n\n'), withLength('')))), ['ping', 'message']);
});

test('breaks at a Content-Length that is missing, negative, doubled or over the limit, and says what to answer', () => {
  const heads = [{}, { 'Content-Length': '-5' }, { 'Content-Length': '5', l: '6' }, { 'Content-Length': '101' }];
  for (const head of heads) {
    const framer = new StreamFramer({ maxBodyBytes: 100 });
    const events = framer.push(bytesOf(optionsRequest(head, 'hello')));
    assert.deepEqual(kinds(events), ['bad']);
    const [event] = events;
    assert.equal(event?.kind === 'bad' && event.message?.defect !== undefined, true);
    assert.deepEqual(framer.push(withLength('')), []);
  }
});

test('breaks at a head over the limit, before its end came', () => {
  const framer = new StreamFramer({ maxHeadBytes: 1000 });
  const events = framer.push(bytesOf(`OPTIONS sip:a@b SIP/2.0\nSubject: ${'x'.repeat(2000)}`));
  assert.deepEqual(kinds(events), ['bad']);
});

test('breaks at what is not SIP', () => {
  assert.deepEqual(kinds(new StreamFramer().push(bytesOf('GET / HTTP/1.1\nHost: x\n\n'))), ['bad']);
});

test('breaks at bare line feeds: another reader could frame them differently', () => {
  const bytes = new TextEncoder().encode('OPTIONS sip:a@b SIP/2.0\nContent-Length: 0\n\n');
  assert.deepEqual(kinds(new StreamFramer().push(bytes)), ['bad']);
});

test(
  'takes a megabyte of messages in one chunk and one byte at a time without slowing down',
  { timeout: 20_000 },
  () => {
    const one = withLength('x'.repeat(1000));
    const many = joined(...new Array<Uint8Array>(200).fill(one));
    assert.equal(new StreamFramer().push(many).length, 200);
    const framer = new StreamFramer();
    const large = withLength('y'.repeat(65_000));
    let messages = 0;
    for (const byte of large) messages += framer.push(Uint8Array.of(byte)).length;
    assert.equal(messages, 1);
  },
);
