import assert from 'node:assert/strict';
import { randomInteger, type Random } from '../../../src/base/random.ts';
import { buildRtcp, parseRtcp } from '../../../src/wire/rtp/rtcp.ts';
import { buildRtpPacket, RtpPacketView } from '../../../src/wire/rtp/packet.ts';
import {
  buildTelephoneEvent,
  parseTelephoneEvent,
  telephoneEventPackets,
  TelephoneEventReceiver,
} from '../../../src/wire/rtp/telephone-event.ts';
import {
  acceptAudioAnswer,
  answerAudioOffer,
  makeAudioOffer,
  type LocalAudio,
} from '../../../src/wire/sdp/negotiate.ts';
import { formatSessionDescription, parseSessionDescription } from '../../../src/wire/sdp/session.ts';
import { lines, textOf, type FuzzTarget } from '../fuzz-target.ts';
import { pick } from '../mutate.ts';

const LOCAL: LocalAudio = { address: '192.0.2.1', port: 20_000, sessionId: '1', version: 1 };
const OFFER = makeAudioOffer(LOCAL);

const DESCRIPTIONS = [
  `v=0
o=- 3845 1 IN IP4 192.0.2.2
s=-
c=IN IP4 192.0.2.2
t=0 0
m=audio 40002 RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
a=rtcp:40003
`,
  `v=0
o=- 99999999999999999999 2 IN IP6 ::1
s=x
t=0 0
a=sendonly
m=audio 9 UDP/TLS/RTP/SAVPF 111 0
c=IN IP6 2001:db8::1
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=ice-ufrag:x
a=candidate:1 1 udp 2130706431 192.0.2.2 5000 typ host
a=fingerprint:sha-256 AA:BB
a=ssrc:1 cname:x
m=video 0 RTP/AVP 96
m=application 5 TCP/BFCP *
`,
  `v=0
o=x 1 1 IN IP4 0.0.0.0
s=
c=IN IP4 224.2.1.1/127/3
t=0 0
m=image 5000 udptl t38
m=audio 5004/2 RTP/AVPF 0
a=rtcp:5006 IN IP4 192.0.2.7
a=inactive
`,
];
const LINES = [
  ...['v=0', 'o=- 1 1 IN IP4 192.0.2.2', 's=-', 't=0 0', 'c=IN IP4 192.0.2.2', 'c=IN IP6 ::1', 'c=IN IP4 h/1/2', 'c='],
  ...[
    'm=audio 5004 RTP/AVP 0 8 101',
    'm=audio 0 RTP/AVP 0',
    'm=audio 99999 RTP/AVP 0',
    'm=video 1 RTP/AVP 96',
    'm=',
    'm=audio',
  ],
  ...[
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=rtpmap:101',
    'a=rtpmap:200 x/-1',
    'a=fmtp:101 0-16',
  ],
  ...[
    'a=sendonly',
    'a=inactive',
    'a=ptime:20',
    'a=ptime:x',
    'a=rtcp:1 IN IP4 192.0.2.2',
    'a=rtcp:',
    'a=ssrc:1 a:b',
    'a=',
  ],
  ...[
    'a=candidate:1 1 udp 1 h 1 typ host',
    'a=rid:1 send',
    'a=simulcast:send 1',
    'a=imageattr:* send *',
    'a=__proto__:1',
    'k=x',
  ],
];

export const sdp: FuzzTarget = {
  name: 'sdp',
  covers: '/src/wire/sdp/',
  corpus: DESCRIPTIONS.map(lines),
  words: LINES.map((line) => `\r\n${line}\r\n`),
  generate: (random) =>
    lines(['v=0', ...Array.from({ length: randomInteger(random, 1, 20) }, () => pick(LINES, random)), ''].join('\n')),
  repetitions: [
    ...LINES,
    ...[
      'a=ssrc-group:FID 1 2',
      'a=group:BUNDLE a b',
      'a=msid:a b',
      'a=rtcp-fb:* nack',
      'a=extmap:1 x',
      'a=crypto:1 x y',
    ],
  ]
    .flatMap((line) => [{ unit: `${line}\r\n` }, { unit: line }, { unit: `${line} ` }])
    .concat([{ unit: '\r' }, { unit: ' ' }, { unit: '0' }, { unit: '/' }, { unit: '\n\n' }])
    .map(({ unit }) => ({ before: 'v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\na=x:', unit })),
  maxBytes: 40_000,
  check: (bytes) => {
    const parsed = parseSessionDescription(textOf(bytes));
    if (parsed.kind === 'bad') return;
    const again = parseSessionDescription(formatSessionDescription(parsed.value));
    assert.equal(again.kind, 'ok', again.kind === 'bad' ? again.reason : '');
    if (again.kind === 'ok') {
      assert.equal(again.value.media.length, parsed.value.media.length);
      const third = parseSessionDescription(formatSessionDescription(again.value));
      assert.deepEqual(third, again, 'what was written reads the same again');
    }
    const answered = answerAudioOffer(parsed.value, LOCAL);
    if (answered.kind === 'ok') {
      // RFC 3264 6: an answer has as many m= lines as its offer.
      assert.equal(answered.answer.media.length, parsed.value.media.length);
      assert.ok(answered.negotiated.remote.port > 0 && answered.negotiated.remote.port <= 65_535);
      const read = parseSessionDescription(formatSessionDescription(answered.answer));
      assert.equal(read.kind, 'ok');
    }
    acceptAudioAnswer(OFFER, parsed.value);
    makeAudioOffer(LOCAL, parsed.value);
  },
};

const RTP_CORPUS = [
  buildRtpPacket(
    { payloadType: 0, marker: true, sequence: 65_535, timestamp: 4_294_967_295, ssrc: 1 },
    new Uint8Array(160),
  ),
  // Padding, extension and two contributing sources.
  Uint8Array.from([
    0xb2,
    0,
    0,
    1,
    0,
    0,
    0,
    2,
    0,
    0,
    0,
    3,
    ...[0, 0, 0, 4, 0, 0, 0, 5],
    ...[0xbe, 0xde, 0, 1, 1, 2, 3, 4],
    9,
    9,
    0,
    2,
  ]),
  ...telephoneEventPackets({ event: 5 }).map(({ payload }) =>
    buildRtpPacket({ payloadType: 101, marker: false, sequence: 1, timestamp: 160, ssrc: 7 }, payload),
  ),
];
const REPORT = {
  ssrc: 2,
  fractionLost: 3,
  cumulativeLost: -4,
  highestSequence: 5,
  jitter: 6,
  lastSenderReport: 7,
  delaySinceLast: 8,
};

const RTCP_CORPUS = [
  buildRtcp([
    {
      kind: 'sender-report',
      ssrc: 1,
      ntpSeconds: 2,
      ntpFraction: 3,
      rtpTimestamp: 4,
      packetCount: 5,
      octetCount: 6,
      reports: [REPORT],
    },
  ]),
  Uint8Array.from([0x81, 201, 0, 7, 0, 0, 0, 1, ...new Uint8Array(24)]),
  Uint8Array.from([0x81, 202, 0, 3, 0, 0, 0, 1, 1, 2, 65, 66, 0, 0, 0, 0]),
  Uint8Array.from([0x81, 203, 0, 2, 0, 0, 0, 1, 3, 98, 121, 101]),
  Uint8Array.from([0x80, 204, 0, 2, 0, 0, 0, 1, 97, 98, 99, 100]),
];

/** RTP, RTCP and telephone events: the second byte tells them apart, as on one port. */
export const rtp: FuzzTarget = {
  name: 'rtp',
  covers: '/src/wire/rtp/',
  corpus: [...RTP_CORPUS, ...RTCP_CORPUS],
  words: ['\x80\x00', '\u0081', '\xff\xff', '\x00\x00\x00\x00'],
  generate: rtpPacket,
  repetitions: [{ unit: '\0' }, { unit: '\x7f' }],
  maxBytes: 2000,
  check: (bytes) => {
    const view = new RtpPacketView();
    if (view.read(bytes) === undefined) {
      assert.ok(view.payloadStart <= view.payloadEnd && view.payloadEnd <= bytes.length);
      assert.ok(view.extensionStart <= view.extensionEnd && view.extensionEnd <= view.payloadStart);
      for (let index = 0; index < view.csrcCount; index += 1) assert.ok(view.csrc(index) >= 0);
      const again = new RtpPacketView();
      assert.equal(again.read(buildRtpPacket(view, view.payload())), undefined);
      assert.deepEqual([again.sequence, again.timestamp, again.ssrc], [view.sequence, view.timestamp, view.ssrc]);
      assert.deepEqual(again.payload(), view.payload());
      pressKeys(view);
    }
    const reports = parseRtcp(bytes);
    if (reports.kind !== 'ok') return;
    const known = reports.value.filter((packet) => packet.kind !== 'other');
    if (known.length === 0) return;
    const read = parseRtcp(buildRtcp(known));
    assert.equal(read.kind, 'ok');
  },
};

function rtpPacket(random: Random): Uint8Array {
  const header = {
    payloadType: pick([0, 8, 101], random),
    marker: randomInteger(random, 0, 1) === 1,
    sequence: randomInteger(random, 0, 65_535),
    timestamp: pick([0, 160, 65_535, 4_294_967_295], random),
    ssrc: pick([1, 7], random),
  };
  const event = {
    event: randomInteger(random, 0, 255),
    end: randomInteger(random, 0, 1) === 1,
    volume: 10,
    duration: randomInteger(random, 0, 65_535),
  };
  return buildRtpPacket(header, randomInteger(random, 0, 1) === 0 ? buildTelephoneEvent(event) : random.bytes(20));
}

/** Lives on from packet to packet, as a leg's does. */
const receiver = new TelephoneEventReceiver();
let nowMs = 0;

function pressKeys(view: RtpPacketView): void {
  const payload = view.payload();
  const event = parseTelephoneEvent(payload);
  if (event !== undefined) assert.deepEqual(parseTelephoneEvent(buildTelephoneEvent(event)), event);
  nowMs += 20;
  const keys = receiver.push({ ssrc: view.ssrc, timestamp: view.timestamp, payload, arrivalMs: nowMs });
  assert.ok(keys.length <= 2);
  for (const { key, durationMs } of keys)
    assert.ok(/^[0-9*#A-D]$/.test(key) && durationMs >= 0, `${key} ${durationMs}`);
  receiver.tick(nowMs);
}
