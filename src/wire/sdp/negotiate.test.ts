import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptAudioAnswer,
  answerAudioOffer,
  makeAudioOffer,
  maySend,
  reversed,
  type NegotiatedAudio,
} from './negotiate.ts';
import {
  formatSessionDescription,
  parseSessionDescription,
  type Direction,
  type SessionDescription,
} from './session.ts';

const LOCAL = { address: '192.0.2.1', port: 20_000, sessionId: '1', version: 1 };

function remote(...lines: readonly string[]): SessionDescription {
  const result = parseSessionDescription(
    `v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n${lines.join('\r\n')}\r\n`,
  );
  return result.kind === 'ok' ? result.value : assert.fail(result.reason);
}

function answerTo(
  offer: SessionDescription,
  direction?: Direction,
): { readonly answer: SessionDescription; readonly negotiated: NegotiatedAudio } {
  const result = answerAudioOffer(offer, direction === undefined ? LOCAL : { ...LOCAL, direction });
  return result.kind === 'ok' ? result : assert.fail(result.reason);
}

const OFFER = ['m=audio 4000 RTP/AVP 0 8 101', 'a=rtpmap:101 telephone-event/8000'];

test('offers PCMU, PCMA and telephone-event at 20 ms', () => {
  const [audio] = makeAudioOffer(LOCAL).media;
  assert.deepEqual(audio?.formats, ['0', '8', '101']);
  assert.equal(audio?.payloads[2]?.parameters, '0-16');
  assert.deepEqual([audio?.ptimeMs, audio?.direction, audio?.rtcp], [20, 'sendrecv', undefined]);
});

test('both sides agree on what one offered and the other answered', () => {
  const offer = makeAudioOffer(LOCAL);
  const { answer, negotiated } = answerTo(offer);
  const accepted = acceptAudioAnswer(offer, answer);
  assert.deepEqual(accepted, { kind: 'ok', negotiated });
  assert.deepEqual(negotiated, {
    ...{ codec: 'PCMU', payloadType: 0, receivePayloadType: 0 },
    ...{ telephoneEventPayloadType: 101, receiveTelephoneEventPayloadType: 101 },
    ...{ remote: { address: '192.0.2.1', port: 20_000 }, rtcpRemote: { address: '192.0.2.1', port: 20_001 } },
    ...{ ptimeMs: 20, direction: 'sendrecv' },
  });
});

test('prefers PCMU whatever the order, takes PCMA without it', () => {
  assert.equal(answerTo(remote('m=audio 4000 RTP/AVP 8 0')).negotiated.codec, 'PCMU');
  const { answer, negotiated } = answerTo(remote('m=audio 4000 RTP/AVP 9 8'));
  assert.deepEqual([negotiated.codec, negotiated.payloadType, answer.media[0]?.formats], ['PCMA', 8, ['8']]);
});

test('keeps the numbers of the offer, and matches telephone-event at 8 kHz only', () => {
  const offer = remote(
    'm=audio 4000 RTP/AVP 96 110 126',
    'a=rtpmap:96 pcma/8000',
    'a=rtpmap:110 telephone-event/48000',
    'a=rtpmap:126 telephone-event/8000',
  );
  const { answer, negotiated } = answerTo(offer);
  assert.deepEqual([negotiated.codec, negotiated.payloadType, negotiated.telephoneEventPayloadType], ['PCMA', 96, 126]);
  assert.deepEqual(answer.media[0]?.formats, ['96', '126']);
});

test('has no telephone-event where none was offered', () => {
  const { negotiated } = answerTo(remote('m=audio 4000 RTP/AVP 0'));
  assert.equal('telephoneEventPayloadType' in negotiated, false);
});

test('refuses all other m= lines in their places', () => {
  const { answer } = answerTo(
    remote('m=video 5000 RTP/AVP 31', ...OFFER, 'm=audio 6000 RTP/AVP 0', 'm=image 0 udptl t38'),
  );
  assert.deepEqual(
    answer.media.map(({ type, port }) => [type, port]),
    [
      ['video', 0],
      ['audio', 20_000],
      ['audio', 0],
      ['image', 0],
    ],
  );
});

test('takes the first audio that it can speak', () => {
  const { answer } = answerTo(
    remote('m=audio 5000 RTP/SAVP 0', 'm=audio 0 RTP/AVP 0', 'm=audio 6000 RTP/AVP 96', 'm=audio 7000 RTP/AVP 0'),
  );
  assert.deepEqual(
    answer.media.map(({ port }) => port),
    [0, 0, 0, 20_000],
  );
});

test('finds nothing acceptable: no audio, refused audio, no codec, secure only, a name or a group for an address', () => {
  const offers = [
    ['m=video 1 RTP/AVP 31'],
    ['m=audio 0 RTP/AVP 0'],
    ['m=audio 1 RTP/AVP 9'],
    ['m=audio 1 RTP/SAVP 0'],
    ['m=audio 1 RTP/AVP 0', 'c=IN IP4 host.example.com'],
    ['m=audio 1 RTP/AVP 0', 'c=IN IP4 224.2.1.1/127'],
    ['m=audio 1 RTP/AVP 0', 'c=IN IP4 255.255.255.255'],
    ['m=audio 1 RTP/AVP 0', 'c=IN IP6 ff15::101'],
    ['m=audio 1 RTP/AVP 0', 'c=IN IP6 ::ffff:239.1.1.1'],
  ];
  for (const lines of offers) {
    const result = answerAudioOffer(remote(...lines), LOCAL);
    assert.equal(result.kind, 'not-acceptable', lines.join());
    assert.notEqual(result.kind === 'not-acceptable' && result.reason, '');
  }
});

test('a static number that is mapped to another codec is that codec', () => {
  const result = answerAudioOffer(remote('m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 opus/48000/2'), LOCAL);
  assert.equal(result.kind, 'not-acceptable');
});

const DIRECTIONS: readonly (readonly [offered: Direction, willing: Direction, agreed: Direction])[] = [
  ['sendrecv', 'sendrecv', 'sendrecv'],
  ['sendonly', 'sendrecv', 'recvonly'],
  ['recvonly', 'sendrecv', 'sendonly'],
  ['inactive', 'sendrecv', 'inactive'],
  ['sendrecv', 'sendonly', 'sendonly'],
  ['sendonly', 'sendonly', 'inactive'],
  ['sendrecv', 'inactive', 'inactive'],
];
for (const [offered, willing, agreed] of DIRECTIONS)
  test(`${offered} offered to one who is willing to ${willing} gives ${agreed}`, () => {
    const { answer, negotiated } = answerTo(remote(...OFFER, `a=${offered}`), willing);
    assert.deepEqual([answer.media[0]?.direction, negotiated.direction], [agreed, agreed]);
  });

test('takes c=0.0.0.0 for hold: nothing is sent', () => {
  const { negotiated } = answerTo(remote(...OFFER, 'c=IN IP4 0.0.0.0'));
  assert.deepEqual([negotiated.direction, maySend(negotiated.direction)], ['recvonly', false]);
});

test('is on hold when the answer says so', () => {
  const offer = makeAudioOffer(LOCAL);
  const accepted = acceptAudioAnswer(offer, remote(...OFFER, 'a=recvonly'));
  assert.equal(accepted.kind === 'ok' && accepted.negotiated.direction, 'sendonly');
  const held = acceptAudioAnswer(makeAudioOffer({ ...LOCAL, direction: 'sendonly' }), remote(...OFFER));
  assert.equal(held.kind === 'ok' && held.negotiated.direction, 'sendonly');
});

test('takes the first codec of an answer that was offered, with the numbers of the answerer', () => {
  const accepted = acceptAudioAnswer(
    makeAudioOffer(LOCAL),
    remote('m=audio 4000 RTP/AVP 9 8 0 96', 'a=rtpmap:96 telephone-event/8000', 'a=ptime:30'),
  );
  assert.ok(accepted.kind === 'ok');
  const { codec, telephoneEventPayloadType, receiveTelephoneEventPayloadType, ptimeMs } = accepted.negotiated;
  assert.deepEqual(
    [codec, telephoneEventPayloadType, receiveTelephoneEventPayloadType, ptimeMs],
    ['PCMA', 96, 101, 30],
  );
});

test('does not accept an answer without our audio', () => {
  const offer = makeAudioOffer(LOCAL);
  for (const lines of [
    ['m=audio 0 RTP/AVP 0'],
    ['m=video 1 RTP/AVP 31'],
    ['m=audio 1 RTP/AVP 9'],
    ['m=audio 1 RTP/SAVP 0'],
    ['a=x'],
  ])
    assert.equal(acceptAudioAnswer(offer, remote(...lines)).kind, 'not-acceptable', lines.join());
});

test('sends RTCP where a=rtcp says, else to the next port', () => {
  const to = (...lines: readonly string[]): unknown => answerTo(remote(...lines)).negotiated.rtcpRemote;
  assert.deepEqual(to(...OFFER, 'a=rtcp:5005'), { address: '192.0.2.9', port: 5005 });
  assert.deepEqual(to(...OFFER, 'a=rtcp:5005 IN IP4 192.0.2.8'), { address: '192.0.2.8', port: 5005 });
  assert.equal(to('m=audio 65535 RTP/AVP 0'), undefined);
});

test('obeys packet times that exist, else 20 ms', () => {
  const times = ['10', '40', '37', '0', 'x'].map(
    (text) => answerTo(remote(...OFFER, `a=ptime:${text}`)).negotiated.ptimeMs,
  );
  assert.deepEqual(times, [10, 40, 20, 20, 20]);
});

test('a new offer keeps places and numbers of the session', () => {
  const { answer } = answerTo(
    remote('m=video 5000 RTP/AVP 31', 'm=audio 4000 RTP/AVP 8 96', 'a=rtpmap:96 telephone-event/8000'),
  );
  const again = makeAudioOffer({ ...LOCAL, version: 2, direction: 'sendonly' }, answer);
  assert.deepEqual(
    again.media.map(({ type, port, formats }) => [type, port, ...formats]),
    [
      ['video', 0, '31'],
      ['audio', 20_000, '0', '8', '96'],
    ],
  );
  assert.match(formatSessionDescription(again), /^o=- 1 2 IN IP4 192\.0\.2\.1\r$/m);
});

test('telephone-event never takes the number of a codec', () => {
  const { answer } = answerTo(remote('m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 PCMU/8000'));
  assert.deepEqual(makeAudioOffer(LOCAL, answer).media[0]?.formats, ['101', '8', '102']);
});

test('a direction seen from both sides is itself', () => {
  for (const direction of ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const)
    assert.equal(reversed(reversed(direction)), direction);
});
