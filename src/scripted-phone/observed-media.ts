import { formatEndpoint } from '../base/network.ts';
import type {
  BridgeOptions,
  Direction,
  FrameChannel,
  LegEvent,
  LegOptions,
  LegStatistics,
  MediaBridge,
  MediaLeg,
  MediaLoad,
  MediaNode,
  Playback,
  Recording,
  RecordOptions,
  SoundSource,
} from '../media/media-node.ts';
import type { SoundName } from './hearing.ts';

/** The service begins to play to the party at `peer` (address and port of its RTP). */
export interface Announcement {
  /** The leg that plays it; undefined: nobody's leg. */
  readonly legId?: string;
  readonly peer: string | undefined;
  readonly sources: readonly SoundSource[];
  /** What files among the sources are called, where they are not called by their path. */
  readonly name?: SoundName;
  readonly done: Playback['done'];
}

interface LegSource {
  openLeg(options: LegOptions, near?: MediaLeg): Promise<MediaLeg>;
}

/** Media of several nodes that tells what its legs are made to play. */
export class ObservedMedia implements LegSource {
  readonly #media: LegSource;
  readonly #tell: (announcement: Announcement) => void;
  readonly #nodes = new WeakMap<MediaNode, ObservedNode>();

  constructor(media: LegSource, tell: (announcement: Announcement) => void) {
    this.#media = media;
    this.#tell = tell;
  }

  async openLeg(options: LegOptions, near?: MediaLeg): Promise<MediaLeg> {
    const leg = await this.#media.openLeg(options, near === undefined ? undefined : innerLeg(near));
    return new ObservedLeg(leg, this.#observed(leg.node), this.#tell);
  }

  /** A node is known by its identity: each has one observer. */
  #observed(node: MediaNode): ObservedNode {
    const known = this.#nodes.get(node) ?? new ObservedNode(node, this.#tell);
    this.#nodes.set(node, known);
    return known;
  }
}

/** A media node that tells what its legs are made to play. What becomes of it is the far end's to hear. */
export class ObservedNode implements MediaNode {
  readonly #node: MediaNode;
  readonly #tell: (announcement: Announcement) => void;

  constructor(node: MediaNode, tell: (announcement: Announcement) => void) {
    this.#node = node;
    this.#tell = tell;
  }

  get id(): string {
    return this.#node.id;
  }

  async openLeg(options: LegOptions): Promise<MediaLeg> {
    return new ObservedLeg(await this.#node.openLeg(options), this, this.#tell);
  }

  bridge(legs: readonly MediaLeg[], options: BridgeOptions = {}): Promise<MediaBridge> {
    const { listeners } = options;
    return this.#node.bridge(legs.map(innerLeg), {
      ...options,
      ...(listeners === undefined ? {} : { listeners: listeners.map(innerLeg) }),
    });
  }

  load(): MediaLoad {
    return this.#node.load();
  }

  onLost(handler: (reason: string) => void): void {
    this.#node.onLost(handler);
  }

  close(): Promise<void> {
    return this.#node.close();
  }
}

function innerLeg(leg: MediaLeg): MediaLeg {
  return leg instanceof ObservedLeg ? leg.inner : leg;
}

const BEEP = { kind: 'tone', hertz: [1000], durationMs: 250 } as const;

class ObservedLeg implements MediaLeg {
  readonly inner: MediaLeg;
  readonly node: MediaNode;
  readonly #tell: (announcement: Announcement) => void;
  #peer: string | undefined;

  constructor(inner: MediaLeg, node: MediaNode, tell: (announcement: Announcement) => void) {
    this.inner = inner;
    this.node = node;
    this.#tell = tell;
  }

  get id(): string {
    return this.inner.id;
  }

  get frames(): FrameChannel | undefined {
    return this.inner.frames;
  }

  createOffer(options?: { readonly direction?: Direction }): Promise<string> {
    return this.inner.createOffer(options);
  }

  acceptAnswer(sdp: string): Promise<void> {
    this.#peer = rtpEndpoint(sdp);
    return this.inner.acceptAnswer(sdp);
  }

  answerOffer(sdp: string): Promise<string> {
    this.#peer = rtpEndpoint(sdp);
    return this.inner.answerOffer(sdp);
  }

  useFrames(offer: string): Promise<void> {
    return this.inner.useFrames(offer);
  }

  play(sources: readonly SoundSource[], options?: { readonly loop?: number }): Playback {
    const playback = this.inner.play(sources, options);
    this.#tell({ legId: this.id, peer: this.#peer, sources, done: playback.done });
    return playback;
  }

  sendDigits(digits: string): Playback {
    return this.inner.sendDigits(digits);
  }

  record(options: RecordOptions): Recording {
    const recording = this.inner.record(options);
    if (options.beep === true) {
      const done = recording.done.then(() => ({ outcome: 'completed', playedMs: BEEP.durationMs }) as const);
      this.#tell({ legId: this.id, peer: this.#peer, sources: [BEEP], done });
    }
    return recording;
  }

  onEvent(handler: (event: LegEvent) => void): () => void {
    return this.inner.onEvent(handler);
  }

  injectDigit(digit: string): void {
    this.inner.injectDigit(digit);
  }

  rest(resting: boolean): void {
    this.inner.rest(resting);
  }

  statistics(): Promise<LegStatistics> {
    return this.inner.statistics();
  }

  close(): Promise<LegStatistics> {
    return this.inner.close();
  }
}

/** Where a description wants its sound: `address:port`. */
export function rtpEndpoint(sdp: string): string | undefined {
  const address = /^c=IN IP[46] (\S+)/m.exec(sdp)?.[1];
  const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
  return address === undefined || port === undefined ? undefined : formatEndpoint({ address, port: Number(port) });
}
