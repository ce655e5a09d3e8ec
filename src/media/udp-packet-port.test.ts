import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DatagramSocket, Endpoint } from '../base/network.ts';
import { UdpPacketPort } from './udp-packet-port.ts';

const RTP = Uint8Array.of(0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xff);
const RTCP = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 1);
const SDP_ADDRESS = { address: '192.0.2.1', port: 4000 };

/** A socket whose packets the test hands in, and whose sent packets it reads. */
class HandSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly sentTo: Endpoint[] = [];
  receive: (bytes: Uint8Array, from: Endpoint) => void = () => undefined;

  constructor(port: number, address: string) {
    this.local = { address, port };
  }
  send(_bytes: Uint8Array, to: Endpoint): void {
    this.sentTo.push(to);
  }
  onMessage(handler: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.receive = handler;
  }
  onError(): void {
    return undefined;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

function openPort(
  signallingPeer?: string,
  localAddress = '198.51.100.1',
): {
  port: UdpPacketPort;
  rtp: HandSocket;
  rtcp: HandSocket;
  heard: Uint8Array[];
  heardRtcp: Uint8Array[];
} {
  const rtp = new HandSocket(20_000, localAddress);
  const rtcp = new HandSocket(20_001, localAddress);
  const port = new UdpPacketPort({
    sockets: { rtp, rtcp },
    release: () => Promise.resolve(),
    ...(signallingPeer === undefined ? {} : { signallingPeer }),
  });
  const heard: Uint8Array[] = [];
  const heardRtcp: Uint8Array[] = [];
  port.onRtp((packet) => heard.push(packet));
  port.onRtcp((packet) => heardRtcp.push(packet));
  return { port, rtp, rtcp, heard, heardRtcp };
}

describe('the packet port of a UDP leg', () => {
  it('sends nothing and takes nothing before signalling has named the peer', () => {
    const { port, rtp, heard } = openPort('192.0.2.1');
    port.sendRtp(RTP);
    rtp.receive(RTP, SDP_ADDRESS);
    assert.equal(port.ready, false);
    assert.deepEqual([rtp.sentTo, heard], [[], []]);
  });

  it('learns the port behind a NAT from the first packet of the named address', () => {
    const { port, rtp, heard } = openPort();
    port.connect({ rtp: SDP_ADDRESS, rtcpMux: false });
    rtp.receive(RTP, { address: '192.0.2.1', port: 61_000 });
    port.sendRtp(RTP);
    assert.equal(heard.length, 1);
    assert.deepEqual(rtp.sentTo, [{ address: '192.0.2.1', port: 61_000 }]);
  });

  it('learns the address from signalling when the SDP names a private one', () => {
    const { port, rtp, heard } = openPort('203.0.113.9');
    port.connect({ rtp: { address: '10.0.0.5', port: 4000 }, rtcpMux: false });
    rtp.receive(RTP, { address: '203.0.113.9', port: 50_000 });
    assert.equal(heard.length, 1);
    assert.deepEqual(port.remote, { address: '203.0.113.9', port: 50_000 });
  });

  it('on loopback takes the packets of a phone on this machine that names the LAN address of the machine', () => {
    const { port, rtp, heard } = openPort(undefined, '127.0.0.1');
    port.connect({ rtp: { address: '192.0.2.2', port: 4000 }, rtcpMux: false });
    rtp.receive(RTP, { address: '127.0.0.1', port: 4000 });
    rtp.receive(RTP, { address: '127.0.0.1', port: 4444 });
    assert.equal(heard.length, 1, 'one source, once it has been learnt');
    assert.deepEqual(port.remote, { address: '127.0.0.1', port: 4000 });
  });

  it('refuses packets from addresses that signalling does not know', () => {
    const { port, rtp, heard } = openPort('203.0.113.9');
    port.connect({ rtp: SDP_ADDRESS, rtcpMux: false });
    rtp.receive(RTP, { address: '198.18.0.1', port: 4000 });
    assert.equal(heard.length, 0);
    assert.equal(port.foreignPackets, 1);
    assert.deepEqual(port.remote, SDP_ADDRESS);
  });

  it('learns once: a second sender cannot take the sound away', () => {
    const { port, rtp, heard } = openPort('203.0.113.9');
    port.connect({ rtp: SDP_ADDRESS, rtcpMux: false });
    rtp.receive(RTP, SDP_ADDRESS);
    rtp.receive(RTP, { address: '203.0.113.9', port: 50_000 });
    rtp.receive(RTP, { address: '192.0.2.1', port: 4002 });
    assert.equal(heard.length, 1);
    assert.deepEqual(port.remote, SDP_ADDRESS);
  });

  it('keeps what it learnt when a re-offer names the same address, and learns anew from another', () => {
    const { port, rtp } = openPort();
    const learnt = { address: '192.0.2.1', port: 61_000 };
    port.connect({ rtp: SDP_ADDRESS, rtcpMux: false });
    rtp.receive(RTP, learnt);
    port.connect({ rtp: { ...SDP_ADDRESS }, rtcpMux: false });
    assert.deepEqual(port.remote, learnt);
    const moved = { address: '192.0.2.2', port: 4000 };
    port.connect({ rtp: moved, rtcpMux: false });
    assert.deepEqual(port.remote, moved);
  });

  it('falls silent on an old-style hold without an address', () => {
    const { port, rtp } = openPort();
    port.connect({ rtp: SDP_ADDRESS, rtcpMux: false });
    port.connect({ rtcpMux: false });
    port.sendRtp(RTP);
    assert.equal(port.ready, false);
    assert.deepEqual(rtp.sentTo, []);
  });

  it('sends RTCP to the port above, to a=rtcp, or with the sound when both share a port', () => {
    const { port, rtp, rtcp } = openPort();
    port.connect({ rtp: SDP_ADDRESS, rtcpMux: false });
    port.sendRtcp(RTCP);
    port.connect({ rtp: { ...SDP_ADDRESS, port: 5000 }, rtcp: { ...SDP_ADDRESS, port: 5555 }, rtcpMux: false });
    port.sendRtcp(RTCP);
    port.connect({ rtp: { ...SDP_ADDRESS, port: 6000 }, rtcpMux: true });
    port.sendRtcp(RTCP);
    assert.deepEqual(
      rtcp.sentTo.map((to) => to.port),
      [4001, 5555],
    );
    assert.deepEqual(
      rtp.sentTo.map((to) => to.port),
      [6000],
    );
  });

  it('tells RTCP from RTP on one port, and drops what is neither', () => {
    const { port, rtp, heard, heardRtcp } = openPort();
    port.connect({ rtp: SDP_ADDRESS, rtcpMux: true });
    rtp.receive(RTCP, SDP_ADDRESS);
    rtp.receive(RTP, SDP_ADDRESS);
    rtp.receive(Uint8Array.of(0, 1, 0, 0), SDP_ADDRESS);
    rtp.receive(new Uint8Array(), SDP_ADDRESS);
    assert.deepEqual([heard.length, heardRtcp.length], [1, 1]);
  });
});
