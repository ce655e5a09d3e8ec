import type { Endpoint } from '../base/network.ts';
import { LegEngine, type LegEngineOptions } from './leg-engine.ts';
import type { Negotiated, LegNegotiation } from './leg-negotiation.ts';
import { MediaError } from './media-error.ts';
import type {
  Direction,
  LegEvent,
  LegOptions,
  LegStatistics,
  MediaLeg,
  MediaNode,
  Playback,
  Recording,
  RecordOptions,
  SoundSource,
} from './media-node.ts';
import type { SocketPair } from './port-range.ts';
import { sdpNegotiation } from './sdp-negotiation.ts';
import { UdpPacketPort } from './udp-packet-port.ts';

export interface InProcessLegOptions extends LegOptions, Omit<LegEngineOptions, 'port' | 'onEvent'> {
  readonly node: MediaNode;
  readonly id: string;
  readonly sockets: SocketPair;
  readonly release: (sockets: SocketPair) => Promise<void>;
  /** Takes the leg out of the beat and its bridge. */
  readonly onClosing: (leg: InProcessLeg) => void;
}

/** A leg over a pair of UDP sockets: joins signalling's offers and answers, the packet port and the engine. */
export class InProcessLeg implements MediaLeg {
  readonly id: string;
  readonly node: MediaNode;
  readonly engine: LegEngine;
  readonly #port: UdpPacketPort;
  readonly #negotiation: LegNegotiation;
  readonly #onClosing: (leg: InProcessLeg) => void;
  readonly #handlers = new Set<(event: LegEvent) => void>();
  #closing: Promise<LegStatistics> | undefined;
  #remote: Endpoint | undefined;

  constructor(options: InProcessLegOptions) {
    this.id = options.id;
    this.node = options.node;
    this.#onClosing = options.onClosing;
    this.#port = new UdpPacketPort(options);
    this.engine = new LegEngine({ ...options, port: this.#port, onEvent: (event) => this.#tell(event) });
    this.#negotiation = sdpNegotiation({
      address: options.advertisedAddress ?? options.localAddress,
      rtpPort: options.sockets.rtp.local.port,
      random: options.random,
    });
  }

  async createOffer(options: { readonly direction?: Direction } = {}): Promise<string> {
    this.#refuseWhenClosed();
    return this.#negotiation.offer(options.direction ?? 'sendrecv');
  }

  async acceptAnswer(sdp: string): Promise<void> {
    this.#refuseWhenClosed();
    this.#apply(this.#negotiation.answered(sdp));
  }

  async answerOffer(sdp: string): Promise<string> {
    this.#refuseWhenClosed();
    const answer = this.#negotiation.answer(sdp);
    this.#apply(answer.negotiated);
    return answer.sdp;
  }

  play(sources: readonly SoundSource[], options: { readonly loop?: number } = {}): Playback {
    return this.engine.play(sources, options.loop ?? 1);
  }

  sendDigits(digits: string): Playback {
    return this.engine.sendDigits(digits);
  }

  record(options: RecordOptions): Recording {
    return this.engine.record(options);
  }

  onEvent(handler: (event: LegEvent) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  injectDigit(digit: string): void {
    this.engine.injectDigit(digit);
  }

  statistics(): Promise<LegStatistics> {
    return Promise.resolve(this.#statistics());
  }

  close(): Promise<LegStatistics> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<LegStatistics> {
    this.#remote = this.#port.remote;
    this.#onClosing(this);
    await this.engine.close();
    const statistics = this.#statistics();
    await this.#port.close();
    return statistics;
  }

  #statistics(): LegStatistics {
    const remote = this.#port.remote ?? this.#remote;
    return { ...this.engine.statistics(), ...(remote === undefined ? {} : { remote }) };
  }

  #apply(negotiated: Negotiated): void {
    this.#port.connect(negotiated.peer);
    this.engine.negotiated(negotiated.audio);
  }

  #tell(event: LegEvent): void {
    for (const handler of [...this.#handlers]) handler(event);
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) throw new MediaError('closed', `media leg ${this.id} is closed`);
  }
}
