import type { Endpoint } from '../base/network.ts';
import type { FramesTransport } from './frames-transport.ts';
import type { LegTransport } from './leg-transport.ts';
import type { Direction } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { PacketPort } from './packet-port.ts';

/** The way of a browser's packets: WebRTC, and once the browser says that none passes, messages. There is no way back. */
export class BrowserTransport implements LegTransport, PacketPort {
  readonly port: PacketPort = this;
  readonly #frames: FramesTransport;
  #way: LegTransport;
  #onRtp: (packet: Uint8Array) => void = () => undefined;

  constructor(webRtc: LegTransport, frames: FramesTransport) {
    this.#way = webRtc;
    this.#frames = frames;
  }

  /** Answers the offer with the other way, and takes it. */
  async useFrames(offer: string): Promise<NegotiatedAudio> {
    const { audio } = await this.#frames.answer(offer);
    const before = this.#way;
    if (before === this.#frames) return audio;
    this.#way = this.#frames;
    this.#frames.onRtp(this.#onRtp);
    await before.close();
    return audio;
  }

  get remote(): Endpoint | undefined {
    return this.#way.remote;
  }

  get ready(): boolean {
    return this.#way.port.ready;
  }

  offer(direction: Direction): Promise<string> {
    return this.#way.offer(direction);
  }

  answered(sdp: string): Promise<NegotiatedAudio> {
    return this.#way.answered(sdp);
  }

  answer(sdp: string): Promise<{ readonly sdp: string; readonly audio: NegotiatedAudio }> {
    return this.#way.answer(sdp);
  }

  sendRtp(packet: Uint8Array): void {
    this.#way.port.sendRtp(packet);
  }

  sendRtcp(packet: Uint8Array): void {
    this.#way.port.sendRtcp(packet);
  }

  onRtp(handler: (packet: Uint8Array) => void): void {
    this.#onRtp = handler;
    this.#way.port.onRtp(handler);
  }

  /** Messages bring none. */
  onRtcp(handler: (packet: Uint8Array) => void): void {
    this.#way.port.onRtcp(handler);
  }

  close(): Promise<void> {
    return this.#way.close();
  }
}
