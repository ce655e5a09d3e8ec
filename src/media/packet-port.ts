/**
 * The way of one leg's packets: a pair of UDP sockets, or a WebRTC track. The leg engine knows no address and no socket;
 * which packets belong to the peer is decided behind this port. Bytes are whole RTP or RTCP packets.
 */
export interface PacketPort {
  /** Whether it is known where packets go; until then, sending does nothing. */
  readonly ready: boolean;
  sendRtp(packet: Uint8Array): void;
  sendRtcp(packet: Uint8Array): void;
  /** Set once, by the owner. */
  onRtp(handler: (packet: Uint8Array) => void): void;
  onRtcp(handler: (packet: Uint8Array) => void): void;
  close(): Promise<void>;
}
