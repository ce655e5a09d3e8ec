import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseClientMessage, serializeClientMessage, type ClientMessage } from './client-message.ts';
import { parseServerMessage, serializeServerMessage, type ServerMessage } from './server-message.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n';
const CALL = 'TJS0f8fad5b-d9cb-469f-a165-70867728950e';

const message = {
  callsid: 'CA1',
  content: '{"a":1}',
  contentType: 'application/json',
  messageType: 'x',
  eventSid: 'KX1',
};

const FROM_CLIENTS: readonly ClientMessage[] = [
  { type: 'heartbeat' },
  { type: 'listen', token: 'a.b.c', userAgent: 'Chromium' },
  { type: 'register', audio: true, frames: false },
  { type: 'register', audio: false, frames: false },
  { type: 'register', audio: true, frames: true },
  {
    type: 'invite',
    callsid: CALL,
    sound: { kind: 'webrtc', sdp },
    parameters: 'To=jenny',
    reconnect: undefined,
    direct: false,
  },
  { type: 'invite', callsid: 'CA1', sound: { kind: 'frames' }, parameters: '', reconnect: 'abc', direct: true },
  { type: 'answer', callsid: 'CA1', sound: { kind: 'webrtc', sdp }, direct: false },
  { type: 'answer', callsid: 'CA1', sound: { kind: 'frames' }, direct: true },
  { type: 'reject', callsid: 'CA1' },
  { type: 'hangup', callsid: 'CA1' },
  { type: 'reinvite', callsid: 'CA1', sound: { kind: 'webrtc', sdp } },
  { type: 'reinvite', callsid: 'CA1', sound: { kind: 'frames' } },
  { type: 'dtmf', callsid: 'CA1', digits: '1w#*' },
  { type: 'message', ...message },
  { type: 'direct', callsid: 'CA1', step: { kind: 'offer', sdp } },
  { type: 'direct', callsid: 'CA1', step: { kind: 'up' } },
];

const FROM_SERVERS: readonly ServerMessage[] = [
  { type: 'heartbeat' },
  { type: 'connected', identity: 'jenny', ttlSeconds: 3600, edge: 'localhost:3600', home: 'localhost:3600' },
  { type: 'ready' },
  { type: 'offline' },
  { type: 'close' },
  { type: 'ringing', callsid: 'CA1', sound: undefined },
  { type: 'ringing', callsid: 'CA1', sound: { kind: 'webrtc', sdp } },
  { type: 'answer', callsid: 'CA1', sound: { kind: 'frames' }, reconnect: 'abc' },
  { type: 'answer', callsid: 'CA1', sound: undefined, reconnect: undefined },
  { type: 'hangup', callsid: 'CA1', error: undefined },
  { type: 'hangup', callsid: 'CA1', error: { code: 31486, message: 'Busy Here', retryAfter: 3 } },
  { type: 'cancel', callsid: 'CA1' },
  {
    type: 'invite',
    callsid: 'CA1',
    sound: { kind: 'webrtc', sdp },
    parameters: { From: 'client:mike' },
    reconnect: 'x',
  },
  { type: 'ack', callsid: 'CA1', eventSid: 'KX1' },
  { type: 'message', ...message },
  { type: 'error', error: { code: 31204, message: 'no token' } },
  { type: 'error', error: { code: 31210, message: 'no' }, callsid: 'CA1', eventSid: 'KX1' },
  { type: 'direct', callsid: 'CA1', step: { kind: 'start' } },
];

suite('messages of browser phones', () => {
  test('every message of a client comes back from its text', () => {
    for (const each of FROM_CLIENTS) {
      const parsed = parseClientMessage(serializeClientMessage(each));
      assert.deepEqual(parsed.kind === 'ok' && parsed.value, each);
    }
  });

  test('every message of a server comes back from its text', () => {
    for (const each of FROM_SERVERS) {
      const parsed = parseServerMessage(serializeServerMessage(each));
      assert.deepEqual(parsed.kind === 'ok' && parsed.value, each);
    }
  });

  test('reads what the vendor SDK writes', () => {
    const listen = `{"payload":{"browserinfo":{"browser":{"platform":"Linux","userAgent":"Mozilla/5.0"},"p":"browser","plugin":"rtc","v":"2.18.5"},"reconnectTimeout":0,"token":"a.b.c"},"type":"listen","version":"1.6"}`;
    const invite = `{"payload":{"callsid":"${CALL}","sdp":"v=0","twilio":{"params":"To=jenny&x=%C3%A4"}},"type":"invite","version":"1.6"}`;
    const bare = `{"payload":{"callsid":"${CALL}","sdp":"v=0","twilio":{}},"type":"invite","version":"1.6"}`;
    assert.deepEqual(valueOf(listen), {
      type: 'listen',
      token: 'a.b.c',
      userAgent: 'Mozilla/5.0',
    });
    assert.equal((valueOf(invite) as { parameters: string }).parameters, 'To=jenny&x=%C3%A4');
    assert.equal((valueOf(bare) as { parameters: string }).parameters, '');
  });

  test('content of a message that is no text is taken as its JSON', () => {
    const text = `{"payload":{"callsid":"CA1","content":{"a":[1]},"contenttype":"application/json","messagetype":"user-defined-message","voiceeventsid":"KX1"},"type":"message"}`;
    assert.equal((valueOf(text) as { content: string }).content, '{"a":[1]}');
  });

  test('refuses what is none, and says what was wanted', () => {
    for (const [text, reason] of [
      ['', /not JSON/],
      ['[]', /without type/],
      ['{"type":"dance","payload":{"callsid":"CA1"}}', /"dance" is no message/],
      ['{"type":"hangup","payload":{}}', /want a callsid/],
      ['{"type":"hangup","payload":{"callsid":"<b>"}}', /want a callsid/],
      ['{"type":"listen","payload":{"token":7}}', /want a token/],
      [`{"type":"listen","payload":{"token":"${'x'.repeat(9000)}"}}`, /at most 8192/],
      ['{"type":"dtmf","payload":{"callsid":"CA1","dtmf":"1<"}}', /want keys/],
      ['{"type":"reinvite","payload":{"callsid":"CA1"}}', /want an sdp/],
      [`{"type":"hangup","payload":{"callsid":"${'C'.repeat(200_000)}"}}`, /131072 at most/],
    ] as const) {
      const parsed = parseClientMessage(text);
      assert.match(parsed.kind === 'bad' ? parsed.reason : parsed.kind, reason);
    }
  });

  test('never throws, whatever comes', () => {
    const values = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((payload) => JSON.stringify({ type: 'invite', payload })),
    );
    const typed = fc
      .record({
        type: fc.constantFrom(
          'listen',
          'register',
          'invite',
          'answer',
          'dtmf',
          'message',
          'direct',
          'connected',
          'error',
          'ringing',
        ),
        payload: fc.dictionary(
          fc.constantFrom(
            'callsid',
            'sdp',
            'token',
            'twilio',
            'media',
            'dtmf',
            'content',
            'step',
            'error',
            'parameters',
          ),
          fc.jsonValue(),
        ),
      })
      .map((each) => JSON.stringify(each));
    fc.assert(
      fc.property(fc.oneof(values, typed), (text) => {
        assert.ok(['ok', 'bad'].includes(parseClientMessage(text).kind));
        assert.ok(['ok', 'bad'].includes(parseServerMessage(text).kind));
      }),
    );
  });
});

function valueOf(text: string): ClientMessage {
  const parsed = parseClientMessage(text);
  if (parsed.kind !== 'ok') throw new Error(JSON.stringify(parsed));
  return parsed.value;
}
