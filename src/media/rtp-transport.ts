import type { Endpoint } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import type { NegotiatedAudio as SdpAudio } from '../wire/sdp/negotiate.ts';
import type { LegTransport } from './leg-transport.ts';
import type { Direction, RtpLegOptions } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { SocketPair } from './port-range.ts';
import { audioFrom, readDescription, SdpNegotiation } from './sdp-negotiation.ts';
import { UdpPacketPort, type PeerAddress } from './udp-packet-port.ts';

export interface RtpTransportOptions extends RtpLegOptions {
  readonly sockets: SocketPair;
  /** Gives the sockets back. */
  readonly release: (sockets: SocketPair) => Promise<void>;
  readonly random: Random;
}

const HOLD_ADDRESSES = ['0.0.0.0', '::'];

/** Plain RTP over a pair of UDP sockets, as SIP phones speak it. */
export class RtpTransport implements LegTransport {
  readonly port: UdpPacketPort;
  readonly #negotiation: SdpNegotiation;
  #lastRemote: Endpoint | undefined;

  constructor(options: RtpTransportOptions) {
    this.port = new UdpPacketPort(options);
    const address = options.advertisedAddress ?? options.localAddress;
    this.#negotiation = new SdpNegotiation(options.random, { address, port: options.sockets.rtp.local.port });
  }

  get remote(): Endpoint | undefined {
    return this.port.remote ?? this.#lastRemote;
  }

  offer(direction: Direction): Promise<string> {
    return Promise.resolve(this.#negotiation.offer(direction));
  }

  async answered(sdp: string): Promise<NegotiatedAudio> {
    return Promise.resolve(this.#connect(this.#negotiation.answered(readDescription(sdp))));
  }

  async answer(sdp: string): Promise<{ readonly sdp: string; readonly audio: NegotiatedAudio }> {
    const answer = this.#negotiation.answer(readDescription(sdp));
    return Promise.resolve({ sdp: answer.sdp, audio: this.#connect(answer.agreed) });
  }

  close(): Promise<void> {
    this.#lastRemote = this.port.remote;
    return this.port.close();
  }

  #connect(agreed: SdpAudio): NegotiatedAudio {
    this.port.connect(peerFrom(agreed));
    return audioFrom(agreed);
  }
}

function peerFrom({ remote, rtcpRemote }: SdpAudio): PeerAddress {
  // RFC 3264 8.4: zeros are the old form of hold; there is nowhere to send.
  if (HOLD_ADDRESSES.includes(remote.address)) return { rtcpMux: false };
  return { rtp: remote, ...(rtcpRemote === undefined ? {} : { rtcp: rtcpRemote }), rtcpMux: false };
}
