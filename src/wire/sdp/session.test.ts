import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerAudioOffer, makeAudioOffer } from './negotiate.ts';
import {
  formatSessionDescription,
  MAX_SDP_CHARS,
  parseSessionDescription,
  type SessionDescription,
} from './session.ts';

const LOCAL = { address: '192.0.2.1', port: 20_000, sessionId: '1', version: 1 };

function read(...lines: readonly string[]): SessionDescription {
  const result = parseSessionDescription(['v=0', 'o=- 1 2 IN IP4 192.0.2.9', 's=-', ...lines, ''].join('\r\n'));
  return result.kind === 'ok' ? result.value : assert.fail(result.reason);
}

test('reads an audio section with all that belongs to it', () => {
  const { origin, media } = read(
    'c=IN IP4 224.2.1.1/127',
    't=0 0',
    'a=sendonly',
    'm=audio 49170 RTP/AVP 8 96 101 18',
    'a=rtpmap:96 opus/48000/2',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:30',
    'a=rtcp:53020 IN IP4 192.0.2.7',
  );
  assert.deepEqual(origin, { username: '-', sessionId: '1', version: '2', address: '192.0.2.9' });
  assert.deepEqual(media, [
    {
      ...{ type: 'audio', port: 49_170, protocol: 'RTP/AVP', formats: ['8', '96', '101', '18'], direction: 'sendonly' },
      ...{ address: '224.2.1.1', ptimeMs: 30, rtcp: { port: 53_020, address: '192.0.2.7' } },
      payloads: [
        { payloadType: 8, name: 'PCMA', clockRate: 8000 },
        { payloadType: 96, name: 'opus', clockRate: 48_000 },
        { payloadType: 101, name: 'telephone-event', clockRate: 8000, parameters: '0-15' },
        { payloadType: 18, name: 'G729', clockRate: 8000 },
      ],
    },
  ]);
});

test('what a section says itself counts before what the session says', () => {
  const { media } = read(
    'c=IN IP4 192.0.2.1',
    'a=inactive',
    'm=audio 1 RTP/AVP 0',
    'c=IN IP6 2001:db8::1',
    'a=recvonly',
    'm=audio 2 RTP/AVP 0',
    'm=video 0 RTP/AVP 31',
  );
  assert.deepEqual(
    media.map(({ address, direction }) => [address, direction]),
    [
      ['2001:db8::1', 'recvonly'],
      ['192.0.2.1', 'inactive'],
      ['192.0.2.1', 'inactive'],
    ],
  );
});

test('loses no m= line, however strange', () => {
  const { media } = read(
    'm=audio 49170/2 RTP/AVP 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'm=x-odd 5 x/y-z a b',
  );
  assert.deepEqual(
    media.map(({ type, port, formats }) => [type, port, ...formats]),
    [
      ['audio', 49_170, '0'],
      ['application', 9, 'webrtc-datachannel'],
      ['x-odd', 5, 'a', 'b'],
    ],
  );
});

test('reads lines that end in LF alone', () => {
  const result = parseSessionDescription('v=0\no=- 1 1 IN IP4 h\nm=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.1\n');
  assert.deepEqual(result.kind === 'ok' && result.value.media.map(({ address }) => address), ['192.0.2.1']);
});

test('refuses what is no session description', () => {
  for (const text of [
    '',
    'hello',
    'v=1\r\n',
    'v=0\r\nm=audio\r\n',
    'v=0\r\nm=audio 70000 RTP/AVP 0\r\n',
    'v=0\r\nm=audio x RTP/AVP 0\r\n',
    `v=0\r\n${'m=audio 1 RTP/AVP 0\r\n'.repeat(33)}`,
    `v=0\r\n${'a'.repeat(MAX_SDP_CHARS)}`,
  ])
    assert.equal(parseSessionDescription(text).kind, 'bad', text.slice(0, 40));
});

test('writes CRLF at the end of each line, and a c= that covers every section', () => {
  const offer = read('c=IN IP4 192.0.2.9', 'm=video 4000 RTP/AVP 31', 'm=audio 4002 RTP/AVP 0');
  const result = answerAudioOffer(offer, LOCAL);
  assert.ok(result.kind === 'ok');
  assert.deepEqual(formatSessionDescription(result.answer).split('\r\n'), [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    'm=video 0 RTP/AVP 31',
    'm=audio 20000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    'a=sendrecv',
    '',
  ]);
});

test('is read as it was written', () => {
  for (const address of ['192.0.2.1', '2001:db8::1']) {
    const offer = makeAudioOffer({ ...LOCAL, address, rtcpPort: 30_000, direction: 'sendonly' });
    assert.deepEqual(parseSessionDescription(formatSessionDescription(offer)), { kind: 'ok', value: offer });
  }
});

test('refuses to write a line break that a text carries', () => {
  assert.throws(() => formatSessionDescription(makeAudioOffer({ ...LOCAL, address: '192.0.2.1\r\na=x' })), TypeError);
});

const line = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.constantFrom(
    'm=audio 4000 RTP/AVP 0 8 101',
    'm=video 0 RTP/SAVPF 96 *',
    'c=IN IP4 0.0.0.0',
    'c=',
    'a=rtpmap:101 telephone-event/8000',
    'a=rtpmap:0',
    'a=fmtp:',
    'a=sendonly',
    'a=ptime:99999999999',
    'a=rtcp:0',
    'a=__proto__',
    'm=',
    'o=',
    'a=candidate:1 1 UDP 1 x',
  ),
);

test('junk never throws, and what is read can be answered and written', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const parsed = parseSessionDescription(`v=0\r\n${lines.join('\r\n')}`);
      if (parsed.kind !== 'ok') return;
      const answer = answerAudioOffer(parsed.value, LOCAL);
      if (answer.kind !== 'ok') return;
      const again = parseSessionDescription(formatSessionDescription(answer.answer));
      assert.equal(again.kind === 'ok' && again.value.media.length, parsed.value.media.length);
    }),
    { numRuns: 500 },
  );
});

test('the largest junk is read quickly', { timeout: 20_000 }, () => {
  for (const piece of [
    'a',
    'a=',
    'a=fmtp:1 ',
    'm=audio ',
    'a=candidate:1 1 ',
    ' ',
    '\r',
    'a=ssrc:1 a:',
    'a=rid:1 send ',
  ])
    parseSessionDescription(`v=0\r\na=${piece.repeat(MAX_SDP_CHARS)}`.slice(0, MAX_SDP_CHARS));
});

test('a format that an m= line repeats is one payload, so that no description grows when it is written', () => {
  const parsed = parseSessionDescription(
    `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/AVP${' 0 8'.repeat(5000)}\r\n`,
  );
  assert.ok(parsed.kind === 'ok');
  assert.deepEqual(
    parsed.value.media[0]?.payloads.map(({ payloadType }) => payloadType),
    [0, 8],
  );
});

test('an a=rtpmap whose clock is no number, or 0, names no format', () => {
  for (const rate of ['0x10', '0', '-8000', '99999999999']) {
    const parsed = parseSessionDescription(
      `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/AVP 8\r\na=rtpmap:8 PCMA/${rate}\r\n`,
    );
    assert.ok(parsed.kind === 'ok');
    assert.deepEqual(parsed.value.media[0]?.payloads, [], rate);
  }
});
