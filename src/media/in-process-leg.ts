import { LegEngine, type LegEngineOptions } from './leg-engine.ts';
import type { BrowserTransport } from './browser-transport.ts';
import type { LegTransport } from './leg-transport.ts';
import { MediaError } from './media-error.ts';
import type {
  Direction,
  FrameChannel,
  LegEvent,
  LegStatistics,
  MediaLeg,
  MediaNode,
  Playback,
  Recording,
  RecordOptions,
  SoundSource,
} from './media-node.ts';

export interface InProcessLegOptions extends Omit<LegEngineOptions, 'port' | 'onEvent'> {
  readonly node: MediaNode;
  readonly id: string;
  /** The leg closes it. */
  readonly transport: LegTransport;
  readonly frames?: FrameChannel;
  /** The same transport, where it may take to messages. */
  readonly browser?: BrowserTransport;
  /** Takes the leg out of the beat and its bridge. */
  readonly onClosing: (leg: InProcessLeg) => void;
}

/** A leg: joins the transport, which signalling's offers and answers are about, and the engine. */
export class InProcessLeg implements MediaLeg {
  readonly id: string;
  readonly node: MediaNode;
  readonly engine: LegEngine;
  readonly frames: FrameChannel | undefined;
  readonly #transport: LegTransport;
  readonly #browser: BrowserTransport | undefined;
  readonly #onClosing: (leg: InProcessLeg) => void;
  readonly #handlers = new Set<(event: LegEvent) => void>();
  #closing: Promise<LegStatistics> | undefined;

  constructor(options: InProcessLegOptions) {
    this.id = options.id;
    this.node = options.node;
    this.#onClosing = options.onClosing;
    this.#transport = options.transport;
    this.#browser = options.browser;
    this.frames = options.frames;
    const { port } = options.transport;
    this.engine = new LegEngine({ ...options, port, onEvent: (event) => this.#tell(event) });
  }

  async createOffer(options: { readonly direction?: Direction } = {}): Promise<string> {
    this.#refuseWhenClosed();
    return this.#transport.offer(options.direction ?? 'sendrecv');
  }

  async acceptAnswer(sdp: string): Promise<void> {
    this.#refuseWhenClosed();
    this.engine.negotiated(await this.#transport.answered(sdp));
  }

  async answerOffer(sdp: string): Promise<string> {
    this.#refuseWhenClosed();
    const answer = await this.#transport.answer(sdp);
    this.engine.negotiated(answer.audio);
    return answer.sdp;
  }

  async useFrames(offer: string): Promise<void> {
    this.#refuseWhenClosed();
    if (this.#browser === undefined)
      throw new MediaError('not-acceptable', `media leg ${this.id} has one way for its packets: want a leg of WebRTC`);
    this.engine.negotiated(await this.#browser.useFrames(offer));
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

  rest(resting: boolean): void {
    this.engine.rest(resting);
  }

  statistics(): Promise<LegStatistics> {
    return Promise.resolve(this.#statistics());
  }

  close(): Promise<LegStatistics> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<LegStatistics> {
    this.#onClosing(this);
    await this.engine.close();
    const statistics = this.#statistics();
    await this.#transport.close();
    return statistics;
  }

  #statistics(): LegStatistics {
    const { remote } = this.#transport;
    return { ...this.engine.statistics(), ...(remote === undefined ? {} : { remote }) };
  }

  /** Tells an event of the transport. */
  tell(event: LegEvent): void {
    if (this.#closing === undefined) this.#tell(event);
  }

  #tell(event: LegEvent): void {
    for (const handler of [...this.#handlers]) handler(event);
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) throw new MediaError('closed', `media leg ${this.id} is closed`);
  }
}
