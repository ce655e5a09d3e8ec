import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { LegTransport } from './leg-transport.ts';
import type { Direction, FrameChannel } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import { FRAME_LIMITS, PacketLimit } from './packet-limit.ts';
import type { PacketPort } from './packet-port.ts';
import { audioFrom, readDescription, SdpNegotiation } from './sdp-negotiation.ts';

/** Port 9 discards (RFC 863), and the loopback is nobody's address: packets go another way. */
const NOWHERE = { address: '127.0.0.1', port: 9 };

/** RTP packets as messages: nothing is lost or reordered, and there is nobody to send reports to. */
export class FramesTransport implements LegTransport, PacketPort, FrameChannel {
  readonly port: PacketPort = this;
  readonly remote = undefined;
  readonly #limit: PacketLimit;
  readonly #negotiation: SdpNegotiation;
  #settled = false;
  #closed = false;
  #onRtp: (packet: Uint8Array) => void = () => undefined;
  #onFrame: (packet: Uint8Array) => void = () => undefined;

  constructor(options: { readonly clock: Clock; readonly random: Random }) {
    this.#limit = new PacketLimit(options.clock, FRAME_LIMITS);
    this.#negotiation = new SdpNegotiation(options.random, NOWHERE);
  }

  get ready(): boolean {
    return this.#settled && !this.#closed;
  }

  offer(direction: Direction): Promise<string> {
    return Promise.resolve(this.#negotiation.offer(direction));
  }

  async answered(sdp: string): Promise<NegotiatedAudio> {
    const agreed = this.#negotiation.answered(readDescription(sdp));
    this.#settled = true;
    return Promise.resolve(audioFrom(agreed));
  }

  async answer(sdp: string): Promise<{ readonly sdp: string; readonly audio: NegotiatedAudio }> {
    const answer = this.#negotiation.answer(readDescription(sdp));
    this.#settled = true;
    return Promise.resolve({ sdp: answer.sdp, audio: audioFrom(answer.agreed) });
  }

  push(packet: Uint8Array): void {
    if (!this.#closed && this.#limit.admits(packet)) this.#onRtp(packet);
  }

  onFrame(handler: (packet: Uint8Array) => void): void {
    this.#onFrame = handler;
  }

  sendRtp(packet: Uint8Array): void {
    if (this.ready) this.#onFrame(packet);
  }

  sendRtcp(): void {
    return undefined;
  }

  onRtp(handler: (packet: Uint8Array) => void): void {
    this.#onRtp = handler;
  }

  onRtcp(): void {
    return undefined;
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
