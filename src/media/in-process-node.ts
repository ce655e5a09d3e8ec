import { holding, systemClock, type Clock } from '../base/clock.ts';
import { systemRandom, randomHex, type Random } from '../base/random.ts';
import { loadSound } from './audio-file.ts';
import { BridgeEngine } from './bridge-engine.ts';
import { BrowserTransport } from './browser-transport.ts';
import { rtpDatagrams, type DatagramNetwork } from './datagrams.ts';
import { FramesTransport } from './frames-transport.ts';
import { InProcessLeg } from './in-process-leg.ts';
import type { LegTransport } from './leg-transport.ts';
import { MediaError } from './media-error.ts';
import type { Occupancy } from './occupancy.ts';
import type {
  BridgeOptions,
  FrameChannel,
  LegOptions,
  MediaBridge,
  MediaLeg,
  MediaLoad,
  MediaNode,
  Recording,
  WebRtcLegOptions,
} from './media-node.ts';
import { PortAllocator, type ClaimedPort, type PortRange, type SocketPair } from './port-range.ts';
import { RtpTransport } from './rtp-transport.ts';
import { SoundCache } from './sound-cache.ts';
import { SAMPLE_RATE } from './sound-format.ts';
import { FrameTicker, type Ticker } from './ticker.ts';
import type { WebRtcLibrary } from './webrtc-library.ts';
import { WebRtcTransport } from './webrtc-transport.ts';

/** Where a node stops taking legs, and when it calls a peer silent. */
export interface MediaLimits {
  /** Default 1,000: a bound of memory and ports. What the machine can carry is measured. */
  readonly maxLegs?: number;
  /**
   * New legs are refused while more than one tick in twenty is later than this: one short standstill of the machine
   * is no overload. A node with fewer than LIGHT_LEGS takes them all the same. Default 10.
   */
  readonly maxLatenessMs?: number;
  /**
   * New calls are refused while the process is busy for more than this share of its time, 0 to 1, which it is before it
   * is late; further legs of calls that it has, late or not, up to half-way between this and all of it. Default 0.6.
   */
  readonly maxBusy?: number;
  /** `audio-missing` is told after this long without a packet. Default 10,000. */
  readonly audioMissingMs?: number;
}

export interface InProcessMediaNodeOptions extends MediaLimits {
  readonly portRange: PortRange;
  readonly id?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly network?: DatagramNetwork;
  readonly ticker?: Ticker;
  /** Default: never busy, as in virtual time. */
  readonly occupancy?: Occupancy;
  /** Loads the library for browsers' legs when the first is opened; absent: they are refused. */
  readonly loadWebRtc?: () => Promise<WebRtcLibrary>;
  /** Given what each leg's party said in a tick, 160 samples at 8 kHz; the array is used again for the next. */
  readonly onHeard?: (leg: MediaLeg, frame: Int16Array) => void;
  /** Given what each leg's party sends, packet by packet in its own order, however late it comes; the array is used again. */
  readonly onArrived?: (leg: MediaLeg, samples: Int16Array) => void;
}

export const DEFAULT_MAX_LEGS = 1_000;
export const DEFAULT_MAX_LATENESS_MS = 10;
export const DEFAULT_MAX_BUSY = 0.6;
/** With fewer legs a late beat is not of the node's own making: refusing calls would not make the machine any faster. */
export const LIGHT_LEGS = 10;
export const DEFAULT_AUDIO_MISSING_MS = 10_000;
const TOLD_SHARE = 0.99;
const ACCEPTED_SHARE = 0.95;
const ID_BYTES = 4;

interface OpenTransport {
  readonly transport: LegTransport;
  readonly frames?: FrameChannel;
  readonly browser?: BrowserTransport;
  /** Told the leg that the transport is beneath. */
  readonly onLeg?: (leg: InProcessLeg) => void;
}

/** Media in this process: for virtual time, for tests, and as the inside of a media process. */
export function openInProcessMediaNode(options: InProcessMediaNodeOptions): MediaNode {
  return new InProcessMediaNode(options);
}

class InProcessMediaNode implements MediaNode {
  readonly id: string;
  readonly #options: InProcessMediaNodeOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ports: PortAllocator;
  readonly #ticker: Ticker;
  readonly #sounds = new SoundCache();
  readonly #legs = new Map<MediaLeg, InProcessLeg>();
  readonly #bridges = new Map<InProcessLeg, BridgeEngine>();
  readonly #sharedPorts = new Map<string, Promise<ClaimedPort>>();
  /** Legs whose transports are being opened. */
  #opening = 0;
  #closed = false;

  constructor(options: InProcessMediaNodeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#ports = new PortAllocator(options.network ?? rtpDatagrams, options.portRange);
    this.#ticker = options.ticker ?? new FrameTicker(this.#clock);
    this.id = options.id ?? `media-${randomHex(this.#random, ID_BYTES)}`;
  }

  async openLeg(options: LegOptions): Promise<MediaLeg> {
    this.#refuseWhenFull(options.joining ?? false);
    this.#opening += 1;
    try {
      const open = await this.#openTransport(options);
      if (this.#closed) {
        await open.transport.close();
        throw new MediaError('closed', `media node ${this.id} is closed`);
      }
      return this.#addLeg(this.#makeLeg(open));
    } finally {
      this.#opening -= 1;
    }
  }

  bridge(legs: readonly MediaLeg[], options: BridgeOptions = {}): Promise<MediaBridge> {
    const members = legs.map((leg) => this.#legs.get(leg));
    if (members.includes(undefined)) {
      return Promise.reject(
        new MediaError('closed', `media node ${this.id}: a leg to bridge is closed or on another node`),
      );
    }
    const engine = new BridgeEngine({
      passDigits: options.passDigits ?? false,
      holding: (work) => holding(this.#clock, work),
    });
    for (const leg of members as InProcessLeg[]) {
      this.#bridges.get(leg)?.remove(leg.engine);
      this.#bridges.set(leg, engine);
      engine.add(leg.engine, options.listeners?.includes(leg) ?? false);
    }
    return Promise.resolve({
      record: (recordOptions): Recording => engine.record(recordOptions),
      close: () => this.#closeBridge(engine),
    });
  }

  load(): MediaLoad {
    const legs = this.#legs.size + this.#opening;
    return { legs, latenessMs: this.#ticker.latenessMs(TOLD_SHARE), accepting: this.#accepts(false) };
  }

  /** This process is the node: nobody is left to be told when it dies. */
  onLost(): void {
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#legs.values()].map((leg) => leg.close()));
    this.#ticker.stop();
  }

  #accepts(joining: boolean): boolean {
    const legs = this.#legs.size + this.#opening;
    const { maxLegs = DEFAULT_MAX_LEGS, maxLatenessMs = DEFAULT_MAX_LATENESS_MS } = this.#options;
    if (this.#closed || legs >= maxLegs) return false;
    if (legs < LIGHT_LEGS) return true;
    const { maxBusy = DEFAULT_MAX_BUSY, occupancy } = this.#options;
    const busy = occupancy?.share(legs) ?? 0;
    // A call that was taken is taken whole: its legs are few, and new calls are held back meanwhile.
    if (joining) return busy <= (1 + maxBusy) / 2;
    return busy <= maxBusy && this.#ticker.latenessMs(ACCEPTED_SHARE) <= maxLatenessMs;
  }

  #refuseWhenFull(joining: boolean): void {
    if (this.#closed) throw new MediaError('closed', `media node ${this.id} is closed`);
    if (this.#accepts(joining)) return;
    const { legs, latenessMs } = this.load();
    const busy = `${Math.round((this.#options.occupancy?.share(legs) ?? 0) * 100)} % busy`;
    throw new MediaError(
      'overloaded',
      `media node ${this.id} takes no leg now: ${legs} legs, ${Math.round(latenessMs)} ms late, ${busy}; try again later`,
    );
  }

  async #openTransport(options: LegOptions): Promise<OpenTransport> {
    switch (options.kind) {
      case 'rtp': {
        const sockets = await this.#ports.open(options.localAddress);
        const release = (pair: SocketPair): Promise<void> => this.#ports.close(pair);
        return { transport: new RtpTransport({ ...options, sockets, release, random: this.#random }) };
      }
      case 'webrtc':
        return this.#openWebRtc(options);
      case 'frames': {
        const transport = this.#framesTransport();
        return { transport, frames: transport };
      }
      default:
        return options satisfies never;
    }
  }

  async #openWebRtc(options: WebRtcLegOptions): Promise<OpenTransport> {
    const { loadWebRtc } = this.#options;
    if (loadWebRtc === undefined)
      throw new MediaError('no-webrtc', `media node ${this.id}: WebRTC wants a process of its own`);
    const library = await loadWebRtc();
    let leg: InProcessLeg | undefined;
    const webRtc = new WebRtcTransport({
      library,
      leg: options,
      clock: this.#clock,
      random: this.#random,
      claimPort: () => this.#claimPort(options),
      source: () => (leg as InProcessLeg).engine.source,
      onEvent: (event) => leg?.tell(event),
    });
    const frames = this.#framesTransport();
    const browser = new BrowserTransport(webRtc, frames);
    return { transport: browser, frames, browser, onLeg: (made) => (leg = made) };
  }

  #framesTransport(): FramesTransport {
    return new FramesTransport({ clock: this.#clock, random: this.#random });
  }

  /** One port serves all connections at an address, as long as the process lives. */
  async #claimPort({ localAddress, ownPort = false }: WebRtcLegOptions): Promise<ClaimedPort> {
    if (ownPort) return this.#ports.claim(localAddress);
    let shared = this.#sharedPorts.get(localAddress);
    if (shared === undefined) {
      shared = this.#ports.claim(localAddress);
      this.#sharedPorts.set(localAddress, shared);
      shared.catch(() => this.#sharedPorts.delete(localAddress));
    }
    const { port } = await shared;
    return { port, release: () => undefined };
  }

  #makeLeg({ transport, frames, browser, onLeg }: OpenTransport): InProcessLeg {
    const clock = this.#clock;
    const { onArrived } = this.#options;
    const leg: InProcessLeg = new InProcessLeg({
      transport,
      ...(frames === undefined ? {} : { frames }),
      ...(browser === undefined ? {} : { browser }),
      node: this,
      id: `${this.id}-${randomHex(this.#random, ID_BYTES)}`,
      clock,
      random: this.#random,
      loadSound: (path) => holding(clock, () => loadSound(path, { sampleRate: SAMPLE_RATE, cache: this.#sounds })),
      holding: (work) => holding(clock, work),
      audioMissingMs: this.#options.audioMissingMs ?? DEFAULT_AUDIO_MISSING_MS,
      onClosing: (closing) => this.#removeLeg(closing),
      ...(onArrived === undefined ? {} : { onArrived: (samples: Int16Array) => onArrived(leg, samples) }),
    });
    onLeg?.(leg);
    return leg;
  }

  #addLeg(leg: InProcessLeg): MediaLeg {
    this.#legs.set(leg, leg);
    if (this.#legs.size === 1) this.#ticker.start((skipped) => this.#tick(skipped));
    return leg;
  }

  #removeLeg(leg: InProcessLeg): void {
    this.#legs.delete(leg);
    this.#bridges.get(leg)?.remove(leg.engine);
    this.#bridges.delete(leg);
    if (this.#legs.size === 0) this.#ticker.stop();
  }

  async #closeBridge(engine: BridgeEngine): Promise<void> {
    for (const [leg, bridge] of this.#bridges) if (bridge === engine) this.#bridges.delete(leg);
    engine.close();
    await engine.settled();
  }

  #tick(skipped: number): void {
    this.#options.occupancy?.sample(this.#clock.now(), this.#legs.size);
    const bridges = new Set(this.#bridges.values());
    for (const bridge of bridges) bridge.plan();
    for (const leg of this.#legs.values()) leg.engine.hear();
    const { onHeard } = this.#options;
    if (onHeard !== undefined) for (const leg of this.#legs.values()) onHeard(leg, leg.engine.heard);
    for (const bridge of bridges) bridge.mix();
    for (const leg of this.#legs.values()) leg.engine.speak(this.#bridges.get(leg)?.outputFor(leg.engine), skipped);
  }
}
