import { isLoopback } from '../base/ip-address.ts';
import { sameEndpoint, type Endpoint } from '../base/network.ts';
import type { PacketPort } from './packet-port.ts';
import type { SocketPair } from './port-range.ts';

/** Where signalling says that the peer's packets come from and go to. */
export interface PeerAddress {
  /** Absent while the peer has no address (old-style hold, RFC 3264 8.4). */
  readonly rtp?: Endpoint;
  /** From `a=rtcp`; absent: the port above RTP (RFC 3550 11). */
  readonly rtcp?: Endpoint;
  /** RTP and RTCP on one port (RFC 5761). */
  readonly rtcpMux: boolean;
}

export interface UdpPacketPortOptions {
  readonly sockets: SocketPair;
  /** Address of the peer's signalling: RTP may come from it besides the address that the SDP names. */
  readonly signallingPeer?: string;
  /** Gives the sockets back. */
  readonly release: (sockets: SocketPair) => Promise<void>;
}

/**
 * Symmetric RTP: behind a NAT the peer's real port is known only from its packets, so the first one that comes from
 * the address of the SDP or of the signalling decides where packets go. It decides once, and from then on packets from
 * elsewhere are dropped: otherwise anybody could steal or disturb the sound.
 */
export class UdpPacketPort implements PacketPort {
  readonly local: Endpoint;
  readonly #sockets: SocketPair;
  readonly #signallingPeer: string | undefined;
  readonly #release: (sockets: SocketPair) => Promise<void>;
  #peer: PeerAddress = { rtcpMux: false };
  #remote: Endpoint | undefined;
  #remoteRtcp: Endpoint | undefined;
  #latched = false;
  #foreignPackets = 0;
  #onRtp: (packet: Uint8Array) => void = () => undefined;
  #onRtcp: (packet: Uint8Array) => void = () => undefined;

  constructor(options: UdpPacketPortOptions) {
    this.#sockets = options.sockets;
    this.#signallingPeer = options.signallingPeer;
    this.#release = options.release;
    this.local = options.sockets.rtp.local;
    this.#sockets.rtp.onMessage((bytes, from) => this.#receive(bytes, from));
    this.#sockets.rtcp.onMessage((bytes, from) => this.#receiveRtcp(bytes, from));
    // A refused or unroutable packet is the peer's loss; its silence is reported by the leg.
    this.#sockets.rtp.onError(() => undefined);
    this.#sockets.rtcp.onError(() => undefined);
  }

  /** Takes what an offer or answer says. The learnt port stays as long as the SDP names the same one. */
  connect(peer: PeerAddress): void {
    const same = this.#peer.rtp !== undefined && peer.rtp !== undefined && sameEndpoint(this.#peer.rtp, peer.rtp);
    this.#peer = peer;
    if (same) return;
    this.#latched = false;
    this.#setRemote(peer.rtp);
  }

  get ready(): boolean {
    return this.#remote !== undefined;
  }

  get remote(): Endpoint | undefined {
    return this.#remote;
  }

  /** Packets dropped because they came from somewhere else. */
  get foreignPackets(): number {
    return this.#foreignPackets;
  }

  sendRtp(packet: Uint8Array): void {
    if (this.#remote !== undefined) this.#sockets.rtp.send(packet, this.#remote);
  }

  sendRtcp(packet: Uint8Array): void {
    if (this.#remoteRtcp === undefined) return;
    const socket = this.#peer.rtcpMux ? this.#sockets.rtp : this.#sockets.rtcp;
    socket.send(packet, this.#remoteRtcp);
  }

  onRtp(handler: (packet: Uint8Array) => void): void {
    this.#onRtp = handler;
  }

  onRtcp(handler: (packet: Uint8Array) => void): void {
    this.#onRtcp = handler;
  }

  close(): Promise<void> {
    this.#remote = undefined;
    this.#remoteRtcp = undefined;
    return this.#release(this.#sockets);
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    const first = bytes[0] ?? 0;
    // RFC 7983 7: 128-191 is RTP or RTCP; STUN, DTLS and TURN have no business on this leg.
    if (first < 128 || first > 191) return;
    if (!this.#admit(from)) {
      this.#foreignPackets += 1;
      return;
    }
    const second = bytes[1] ?? 0;
    // RFC 5761 4: packet types of RTCP seen as a second byte.
    if (second >= 192 && second <= 223) this.#onRtcp(bytes);
    else this.#onRtp(bytes);
  }

  #receiveRtcp(bytes: Uint8Array, from: Endpoint): void {
    if (from.address === this.#remote?.address || from.address === this.#peer.rtcp?.address) this.#onRtcp(bytes);
    else this.#foreignPackets += 1;
  }

  #admit(from: Endpoint): boolean {
    const remote = this.#remote;
    if (remote === undefined) return false;
    if (from.port === remote.port && from.address === remote.address) {
      this.#latched = true;
      return true;
    }
    if (this.#latched) return false;
    if (!this.#mayLatch(from.address)) return false;
    this.#latched = true;
    this.#setRemote(from);
    return true;
  }

  #mayLatch(address: string): boolean {
    if (address === this.#peer.rtp?.address || address === this.#signallingPeer) return true;
    // Only this machine reaches its loopback. A phone here names the machine's LAN address, and its packets come from 127.0.0.1.
    return isLoopback(this.local.address);
  }

  #setRemote(remote: Endpoint | undefined): void {
    this.#remote = remote;
    if (remote === undefined) this.#remoteRtcp = undefined;
    else if (this.#peer.rtcpMux) this.#remoteRtcp = remote;
    else if (this.#peer.rtcp !== undefined && !this.#latched) this.#remoteRtcp = this.#peer.rtcp;
    else this.#remoteRtcp = { address: remote.address, port: remote.port + 1 };
  }
}
