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
import { MediaError } from './media-error.ts';
import type { LegCall } from './node-protocol.ts';
import type { PacketLimit } from './packet-limit.ts';
import type { RemoteChannel } from './remote-channel.ts';

const NOTHING: LegStatistics = { packetsReceived: 0, packetsSent: 0, packetsLost: 0, jitterMs: 0 };

export interface RemoteLegOptions {
  readonly id: string;
  /** Its name on the channel. */
  readonly number: number;
  readonly node: MediaNode;
  readonly channel: RemoteChannel;
  readonly onClosing: (number: number) => void;
  /** Of a leg whose packets may come and go as messages. */
  readonly packetLimit?: PacketLimit;
}

/** A leg in a media process. */
export class RemoteLeg implements MediaLeg {
  readonly id: string;
  readonly number: number;
  readonly node: MediaNode;
  readonly frames: FrameChannel | undefined;
  readonly #channel: RemoteChannel;
  readonly #onClosing: (number: number) => void;
  readonly #handlers = new Set<(event: LegEvent) => void>();
  #onFrame: (packet: Uint8Array) => void = () => undefined;
  #last = NOTHING;
  #closing: Promise<LegStatistics> | undefined;

  constructor(options: RemoteLegOptions) {
    this.id = options.id;
    this.number = options.number;
    this.node = options.node;
    this.#channel = options.channel;
    this.#onClosing = options.onClosing;
    this.frames = options.packetLimit === undefined ? undefined : this.#frameChannel(options.packetLimit);
  }

  async createOffer(options: { readonly direction?: Direction } = {}): Promise<string> {
    return (await this.#call({ method: 'create-offer', ...options })) as string;
  }

  async acceptAnswer(sdp: string): Promise<void> {
    await this.#call({ method: 'accept-answer', sdp });
  }

  async answerOffer(sdp: string): Promise<string> {
    return (await this.#call({ method: 'answer-offer', sdp })) as string;
  }

  async useFrames(offer: string): Promise<void> {
    await this.#call({ method: 'use-frames', offer });
  }

  play(sources: readonly SoundSource[], options: { readonly loop?: number } = {}): Playback {
    const leg = this.number;
    return this.#channel.playback((task) => ({ kind: 'play', leg, task, sources, loop: options.loop ?? 1 }));
  }

  sendDigits(digits: string): Playback {
    return this.#channel.playback((task) => ({ kind: 'send-digits', leg: this.number, task, digits }));
  }

  record(options: RecordOptions): Recording {
    return this.#channel.recording((task) => ({ kind: 'record', leg: this.number, task, options }));
  }

  onEvent(handler: (event: LegEvent) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  injectDigit(digit: string): void {
    this.#channel.tell({ kind: 'inject-digit', leg: this.number, digit });
  }

  rest(resting: boolean): void {
    this.#channel.tell({ kind: 'rest', leg: this.number, resting });
  }

  async statistics(): Promise<LegStatistics> {
    this.#last = (await this.#call({ method: 'statistics' })) as LegStatistics;
    return this.#last;
  }

  close(): Promise<LegStatistics> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** A packet from the process, for the page. */
  takeFrame(packet: Uint8Array): void {
    this.#onFrame(packet);
  }

  /** An event from the process. */
  tell(event: LegEvent): void {
    for (const handler of [...this.#handlers]) handler(event);
  }

  /** Whoever cleans up after a lost process must not fail at it: then the figures are the last ones seen. */
  async #close(): Promise<LegStatistics> {
    try {
      return (await this.#call({ method: 'close' })) as LegStatistics;
    } catch (error) {
      if (error instanceof MediaError && error.code === 'lost') return this.#last;
      throw error;
    } finally {
      this.#onClosing(this.number);
    }
  }

  #frameChannel(limit: PacketLimit): FrameChannel {
    return {
      push: (packet) => {
        if (!limit.admits(packet)) return;
        const text = Buffer.from(packet).toString('base64');
        this.#channel.tell({ kind: 'frame', leg: this.number, packet: text });
      },
      onFrame: (handler) => {
        this.#onFrame = handler;
      },
    };
  }

  #call(call: LegCall): Promise<unknown> {
    return this.#channel.request({ kind: 'leg', leg: this.number, call });
  }
}
