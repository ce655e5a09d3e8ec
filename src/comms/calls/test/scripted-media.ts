import { after } from '../../../base/clock.ts';
import { deferred } from '../../../base/deferred.ts';
import type { VirtualClock } from '../../../base/virtual-clock.ts';
import { MediaError } from '../../../media/media-error.ts';
import type {
  BridgeOptions,
  FrameChannel,
  LegEvent,
  LegOptions,
  LegStatistics,
  MediaBridge,
  MediaLeg,
  MediaNode,
  Playback,
  Recording,
  RecordingResult,
  RecordOptions,
  SoundSource,
} from '../../../media/media-node.ts';
import type { CallMedia } from '../call-media.ts';

/** How long a played file lasts. */
export const FILE_MS = 2000;

const NO_STATISTICS: LegStatistics = { packetsReceived: 0, packetsSent: 0, packetsLost: 0, jitterMs: 0 };

/** Media without sound: what is played and recorded takes its time on the virtual clock. */
export class ScriptedMedia implements CallMedia {
  readonly legs: ScriptedLeg[] = [];
  readonly recorded: ScriptedSound[] = [];
  readonly node: ScriptedNode;
  readonly clock: VirtualClock;
  /** The next leg without a neighbour is opened there. */
  nextNode: ScriptedNode;
  overloaded = false;
  /** Legs whose process dies before they make an offer. */
  dyingLegs = 0;

  constructor(clock: VirtualClock) {
    this.clock = clock;
    this.node = new ScriptedNode('one', this);
    this.nextNode = this.node;
  }

  async openLeg(options: LegOptions, near?: MediaLeg): Promise<MediaLeg> {
    if (this.overloaded) throw new MediaError('overloaded', 'no media process takes a leg now');
    const node = (near?.node ?? this.nextNode) as ScriptedNode;
    const leg = new ScriptedLeg(`leg ${this.legs.length}`, node, options);
    this.legs.push(leg);
    return Promise.resolve(leg);
  }

  get open(): readonly ScriptedLeg[] {
    return this.legs.filter((leg) => !leg.closed);
  }
}

export class ScriptedNode implements MediaNode {
  readonly id: string;
  readonly media: ScriptedMedia;
  readonly bridges: ScriptedBridge[] = [];

  constructor(id: string, media: ScriptedMedia) {
    this.id = id;
    this.media = media;
  }

  openLeg(options: LegOptions): Promise<MediaLeg> {
    return this.media.openLeg(options);
  }

  async bridge(legs: readonly MediaLeg[], options: BridgeOptions = {}): Promise<MediaBridge> {
    for (const leg of legs) {
      if ((leg as ScriptedLeg).closed || leg.node !== this) throw new MediaError('closed', `${leg.id} is not here`);
      for (const bridge of this.bridges) bridge.legs.delete(leg as ScriptedLeg);
    }
    const bridge = new ScriptedBridge(this, legs as readonly ScriptedLeg[], options);
    this.bridges.push(bridge);
    return Promise.resolve(bridge);
  }

  load(): { legs: number; latenessMs: number; accepting: boolean } {
    return { legs: 0, latenessMs: 0, accepting: true };
  }

  onLost(): void {
    // Scripted nodes live for ever.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export class ScriptedBridge implements MediaBridge {
  readonly node: ScriptedNode;
  readonly legs: Set<ScriptedLeg>;
  readonly options: BridgeOptions;
  closed = false;
  #recording: ScriptedSound | undefined;

  constructor(node: ScriptedNode, legs: readonly ScriptedLeg[], options: BridgeOptions) {
    this.node = node;
    this.legs = new Set(legs);
    this.options = options;
  }

  record(options: { readonly path: string; readonly channels: 1 | 2 }): Recording {
    this.#recording = new ScriptedSound(this.node.media.clock, options);
    this.node.media.recorded.push(this.#recording);
    return this.#recording;
  }

  close(): Promise<void> {
    this.closed = true;
    this.legs.clear();
    this.#recording?.stop();
    return Promise.resolve();
  }
}

export class ScriptedLeg implements MediaLeg {
  readonly frames: FrameChannel | undefined;
  /** Packets that the page sent as messages. */
  readonly pushed: Uint8Array[] = [];
  /** By which it went over to messages. */
  framesOffer: string | undefined;
  #toPage: (packet: Uint8Array) => void = () => undefined;
  readonly id: string;
  readonly node: ScriptedNode;
  readonly options: LegOptions;
  readonly played: string[] = [];
  readonly answers: string[] = [];
  closed = false;
  readonly #handlers = new Set<(event: LegEvent) => void>();
  readonly #sounds: ScriptedSound[] = [];
  #playing: Playback | undefined;

  constructor(id: string, node: ScriptedNode, options: LegOptions) {
    this.id = id;
    this.node = node;
    this.options = options;
    if (options.kind !== 'rtp')
      this.frames = {
        push: (packet) => void this.pushed.push(packet),
        onFrame: (handler) => {
          this.#toPage = handler;
        },
      };
  }

  createOffer(): Promise<string> {
    if (this.node.media.dyingLegs > 0) {
      this.node.media.dyingLegs -= 1;
      this.closed = true;
      return Promise.reject(new MediaError('lost', 'media process one is lost'));
    }
    return Promise.resolve(`offer of ${this.id}`);
  }

  acceptAnswer(sdp: string): Promise<void> {
    if (sdp.startsWith('bad')) return Promise.reject(new MediaError('not-acceptable', `no codec in common: ${sdp}`));
    this.answers.push(sdp);
    return Promise.resolve();
  }

  answerOffer(sdp: string): Promise<string> {
    if (sdp.startsWith('bad')) return Promise.reject(new MediaError('not-acceptable', `no codec in common: ${sdp}`));
    return Promise.resolve(`answer of ${this.id}`);
  }

  useFrames(offer: string): Promise<void> {
    if (this.options.kind !== 'webrtc')
      return Promise.reject(new MediaError('not-acceptable', `${this.id} has one way for its packets`));
    this.framesOffer = offer;
    return Promise.resolve();
  }

  /** A packet for the page, as a message. */
  say(packet: Uint8Array): void {
    this.#toPage(packet);
  }

  play(sources: readonly SoundSource[], options: { readonly loop?: number } = {}): Playback {
    this.#playing?.stop();
    this.played.push(sources.map(nameOf).join(' + '));
    const totalMs = options.loop === 0 ? Infinity : sources.reduce((sum, source) => sum + durationOf(source), 0);
    this.#playing = this.#playback(totalMs);
    return this.#playing;
  }

  sendDigits(digits: string): Playback {
    this.played.push(`digits ${digits}`);
    return this.#playback(digits.length * 200);
  }

  record(options: RecordOptions): Recording {
    if (this.closed) throw new MediaError('closed', `${this.id} is closed`);
    const sound = new ScriptedSound(this.node.media.clock, options);
    this.#sounds.push(sound);
    this.node.media.recorded.push(sound);
    return sound;
  }

  onEvent(handler: (event: LegEvent) => void): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  rest(): void {}

  injectDigit(digit: string): void {
    this.press(digit, 'info');
  }

  /** The person presses a key. */
  press(digit: string, via: 'rtp' | 'info' = 'rtp'): void {
    for (const handler of this.#handlers) handler({ kind: 'digit', digit, durationMs: 100, via });
  }

  get listeners(): number {
    return this.#handlers.size;
  }

  /** Who hears whom now. */
  get partners(): readonly ScriptedLeg[] {
    const bridge = this.node.bridges.find((each) => each.legs.has(this));
    return [...(bridge?.legs ?? [])].filter((leg) => leg !== this);
  }

  statistics(): Promise<LegStatistics> {
    return Promise.resolve(NO_STATISTICS);
  }

  close(): Promise<LegStatistics> {
    this.closed = true;
    this.#playing?.stop();
    for (const sound of this.#sounds) sound.end('hangup');
    for (const bridge of this.node.bridges) bridge.legs.delete(this);
    this.#handlers.clear();
    return Promise.resolve(NO_STATISTICS);
  }

  #playback(totalMs: number): Playback {
    const { clock } = this.node.media;
    const done = deferred<Awaited<Playback['done']>>();
    const cancel = Number.isFinite(totalMs)
      ? after(clock, totalMs, () => done.resolve({ outcome: 'completed', playedMs: totalMs }))
      : () => undefined;
    return {
      done: done.promise,
      stop: () => {
        cancel();
        done.resolve({ outcome: 'stopped', playedMs: 0 });
      },
    };
  }
}

/** A recording of as much sound as the time until its end, pauses left out. */
export class ScriptedSound implements Recording {
  readonly done: Promise<RecordingResult>;
  readonly options: Partial<RecordOptions>;
  paused = false;
  /** As on a full disk. */
  failing = false;
  readonly #clock: VirtualClock;
  readonly #done = deferred<RecordingResult>();
  #heardMs = 0;
  #since: number;

  constructor(clock: VirtualClock, options: Partial<RecordOptions>) {
    this.#clock = clock;
    this.options = options;
    this.#since = clock.now();
    this.done = this.#done.promise;
    if (options.maxLengthMs !== undefined) after(clock, options.maxLengthMs, () => this.end('max-length'));
  }

  stop(): void {
    this.end('stop');
  }

  pause(): void {
    this.#heardMs += this.#clock.now() - this.#since;
    this.paused = true;
  }

  resume(): void {
    this.#since = this.#clock.now();
    this.paused = false;
  }

  end(endedBy: RecordingResult['endedBy']): void {
    const heardMs = this.#heardMs + (this.paused ? 0 : this.#clock.now() - this.#since);
    const channels = this.options.channels ?? 1;
    if (this.failing) this.#done.resolve({ endedBy: 'failed', durationMs: 0, channels, error: 'no-disk' });
    else this.#done.resolve({ endedBy, durationMs: heardMs, channels });
  }
}

function nameOf(source: SoundSource): string {
  switch (source.kind) {
    case 'file':
      return source.path;
    case 'silence':
      return `silence ${source.durationMs}`;
    case 'tone':
      return `tone ${source.hertz.join('+')}`;
    case 'digits':
      return `digits ${source.digits}`;
  }
}

function durationOf(source: SoundSource): number {
  if (source.kind === 'file') return FILE_MS;
  return source.kind === 'digits' ? source.digits.length * 200 : source.durationMs;
}
