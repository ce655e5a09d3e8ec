import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { LegEvent } from './media-node.ts';
import { MediaError } from './media-error.ts';
import { WEBRTC_LIMITS } from './packet-limit.ts';
import type { WebRtcLibrary } from './webrtc-library.ts';
import { WebRtcTransport } from './webrtc-transport.ts';

const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':');

/** What Chromium's Voice SDK sends, cut to what matters. */
function offerOf(ufrag: string): string {
  return [
    ...['v=0', 'o=- 4620148308545974160 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE audio0'],
    ...['m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126', 'c=IN IP4 0.0.0.0', `a=ice-ufrag:${ufrag}`],
    ...['a=ice-pwd:0GAsYPhz4i0jJP9pSxBVs3oj', `a=fingerprint:sha-256 ${FINGERPRINT}`, 'a=setup:actpass'],
    ...['a=mid:audio0', 'a=sendrecv', 'a=rtcp-mux', 'a=rtpmap:111 opus/48000/2', 'a=rtpmap:110 telephone-event/48000'],
    ...['a=rtpmap:126 telephone-event/8000', 'a=candidate:1 1 udp 2113937151 printer.local 4000 typ host'],
    ...['a=candidate:2 1 udp 2113937150 224.0.0.1 4000 typ host', 'a=candidate:3 1 udp 9 192.0.2.9 4000 typ host', ''],
  ].join('\r\n');
}

/** The library with its threads taken out: connections do what the test says. */
class ScriptedConnection {
  static made: ScriptedConnection[] = [];
  remote = '';
  closed = false;
  sent: Buffer[] = [];
  packet: (packet: Buffer) => void = () => undefined;
  open: () => void = () => undefined;
  state: (state: string) => void = () => undefined;
  ice: (state: string) => void = () => undefined;
  #gathering: (state: string) => void = () => undefined;

  constructor() {
    ScriptedConnection.made.push(this);
  }
  addTrack() {
    return {
      onMessage: (handler: (packet: Buffer) => void) => (this.packet = handler),
      onOpen: (handler: () => void) => (this.open = handler),
      sendMessageBinary: (packet: Buffer) => this.sent.push(packet),
    };
  }
  onStateChange(handler: (state: string) => void) {
    this.state = handler;
  }
  onIceStateChange(handler: (state: string) => void) {
    this.ice = handler;
  }
  onGatheringStateChange(handler: (state: string) => void) {
    this.#gathering = handler;
  }
  setRemoteDescription(sdp: string) {
    this.remote = sdp;
  }
  setLocalDescription() {
    queueMicrotask(() => this.#gathering('complete'));
  }
  localDescription() {
    return { type: 'answer', sdp: offerOf('home') };
  }
  getSelectedCandidatePair() {
    return { remote: { address: '192.0.2.9', port: 4000 } };
  }
  close() {
    this.closed = true;
  }
}

const library = {
  PeerConnection: ScriptedConnection,
  Audio: class {
    addAudioCodec(): void {
      return undefined;
    }
  },
} as unknown as WebRtcLibrary;

function open() {
  ScriptedConnection.made = [];
  const clock = new VirtualClock(1_000_000);
  const events: LegEvent[] = [];
  const ports = new Set<number>();
  const transport = new WebRtcTransport({
    leg: { kind: 'webrtc', localAddress: '192.0.2.1' },
    library,
    clock,
    random: seededRandom(3),
    claimPort: () => {
      const port = 20_000 + ports.size;
      ports.add(port);
      return Promise.resolve({ port, release: () => void ports.delete(port) });
    },
    source: () => ({ ssrc: 7, cname: 'us' }),
    onEvent: (event) => events.push(event),
  });
  const { made } = ScriptedConnection;
  return { clock, events, ports, transport, made: (at: number) => made[at] as ScriptedConnection };
}

describe('the transport of a browser', () => {
  it('answers PCMU and telephone-event at 8 kHz of what is offered, in the section of its name', async () => {
    const { transport, made } = open();
    const { sdp, audio } = await transport.answer(offerOf('abcd'));
    assert.match(sdp, /^m=audio 20000 UDP\/TLS\/RTP\/SAVPF 0 126\r$/m);
    for (const line of ['a=group:BUNDLE audio0', 'a=mid:audio0', 'a=setup:active', 'a=rtcp-mux', 'a=ssrc:7 cname:us']) {
      assert.ok(sdp.includes(`${line}\r\n`), `no line ${line}`);
    }
    assert.match(sdp, /^a=candidate:1 1 udp \d+ 192\.0\.2\.1 20000 typ host\r$/m);
    assert.deepEqual([audio.codec, audio.telephoneEvent], ['PCMU', { send: 126, receive: 126 }]);
    // Neither names nor groups of hosts reach the library.
    assert.deepEqual(made(0).remote.match(/^a=candidate.*$/gm), ['a=candidate:3 1 UDP 9 192.0.2.9 4000 typ host']);
  });

  it('says unreachable when nothing connects in time, and takes the next offer', async () => {
    const { transport, clock, events, ports, made } = open();
    await transport.answer(offerOf('abcd'));
    await clock.advance(19_999);
    assert.deepEqual(events, []);
    await clock.advance(1);
    assert.deepEqual(events, [{ kind: 'disconnected', reason: 'unreachable' }]);
    assert.deepEqual([made(0).closed, ports.size, transport.ready], [true, 0, false]);
    await transport.answer(offerOf('abcd'));
    made(1).open();
    assert.deepEqual([events.at(-1), transport.ready], [{ kind: 'connected' }, true]);
  });

  it('keeps the old connection until the restarted one is up, and the old one when that fails', async () => {
    const { transport, clock, events, made } = open();
    await transport.answer(offerOf('abcd'));
    made(0).open();
    await transport.answer(offerOf('abcd'));
    await transport.answer(offerOf('efgh'));
    transport.sendRtp(Buffer.of(0x80));
    assert.deepEqual([made(0).sent.length, made(0).closed], [1, false]);
    await clock.advance(20_000);
    assert.deepEqual([made(1).closed, transport.ready], [true, true]);
    await transport.answer(offerOf('ijkl'));
    made(2).open();
    transport.sendRtp(Buffer.of(0x80));
    assert.deepEqual([made(0).closed, made(0).sent.length, made(2).sent.length], [true, 1, 1]);
    assert.deepEqual(events, [{ kind: 'connected' }, { kind: 'connected' }]);
  });

  for (const [reason, ice] of [
    ['closed', 'connected'],
    ['lost', 'failed'],
  ] as const) {
    it(`says ${reason} when a connection that was up ends while ICE is ${ice}, in whichever order that is told`, async () => {
      const { transport, clock, events, made } = open();
      await transport.answer(offerOf('abcd'));
      made(0).open();
      made(0).ice('connected');
      made(0).state('closed');
      made(0).ice(ice);
      made(0).ice('closed');
      await clock.advance(100);
      assert.deepEqual(events, [{ kind: 'connected' }, { kind: 'disconnected', reason }]);
    });
  }

  it('holds at most two connections, however many offers come', async () => {
    const { transport, made, ports } = open();
    await transport.answer(offerOf('first'));
    made(0).open();
    await Promise.all(Array.from({ length: 50 }, (_, at) => transport.answer(offerOf(`again${at}`))));
    const open_ = Array.from({ length: 51 }, (_, at) => made(at)).filter(({ closed }) => !closed);
    assert.deepEqual([open_.length, ports.size], [2, 2]);
    await transport.close();
    assert.deepEqual([open_.every(({ closed }) => closed), ports.size], [true, 0]);
  });

  it('drops what is more than a browser can speak', async () => {
    const { transport, made } = open();
    let heard = 0;
    transport.onRtp(() => (heard += 1));
    await transport.answer(offerOf('abcd'));
    for (let at = 0; at < 10_000; at += 1) made(0).packet(Buffer.of(0x80, 0));
    assert.equal(heard, WEBRTC_LIMITS.perSecond);
  });

  it('changes nothing when an offer is refused', async () => {
    const { transport, made } = open();
    await transport.answer(offerOf('abcd'));
    made(0).open();
    const bad = offerOf('efgh').replaceAll('UDP/TLS/RTP/SAVPF 111 0 8', 'UDP/TLS/RTP/SAVPF 111');
    await assert.rejects(transport.answer(bad), (error) => error instanceof MediaError);
    assert.deepEqual([transport.ready, ScriptedConnection.made.length], [true, 1]);
  });

  it('offers without the library and connects at the answer, in the role that the peer leaves', async () => {
    const { transport, made } = open();
    const offer = await transport.offer('sendrecv');
    assert.match(offer, /^a=setup:actpass\r$/m);
    assert.equal(ScriptedConnection.made.length, 0);
    const answer = offerOf('abcd')
      .replace('actpass', 'active')
      .replaceAll('audio0', '0')
      .replace('111 0 8 110 126', '0');
    await transport.answered(answer);
    assert.match(made(0).remote, /^a=setup:active\r$/m);
    made(0).open();
    const again = await transport.answer(offerOf('abcd').replaceAll('audio0', '0'));
    assert.match(again.sdp, /^a=setup:passive\r$/m);
    await assert.rejects(transport.answered(answer.replace('abcd', 'zzzz')), MediaError);
  });
});
