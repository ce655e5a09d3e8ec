import type { Clock } from '../base/clock.ts';
import type { BridgeRecordOptions } from './bridge-engine.ts';
import { MediaError } from './media-error.ts';
import type {
  BridgeOptions,
  LegOptions,
  MediaBridge,
  MediaLeg,
  MediaLoad,
  MediaNode,
  Recording,
} from './media-node.ts';
import type { NodeCommand, NodeReport, StartOptions } from './node-protocol.ts';
import { FRAME_LIMITS, PacketLimit } from './packet-limit.ts';
import { RemoteChannel } from './remote-channel.ts';
import { RemoteLeg } from './remote-leg.ts';

export interface RemoteNodeOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly send: (command: NodeCommand) => void;
  /** Ends the other side after it has closed what it held. */
  readonly end: () => Promise<void>;
}

/** The owner's side of the protocol: a MediaNode whose work is done in another process. */
export class RemoteNode implements MediaNode {
  readonly id: string;
  readonly #clock: Clock;
  readonly #end: () => Promise<void>;
  readonly #channel: RemoteChannel;
  readonly #legs = new Map<number, RemoteLeg>();
  readonly #lostHandlers: ((reason: string) => void)[] = [];
  readonly #opening = new Set<number>();
  #load: MediaLoad = { legs: 0, latenessMs: 0, accepting: true };
  #closing: Promise<void> | undefined;

  constructor(options: RemoteNodeOptions) {
    this.id = options.id;
    this.#clock = options.clock;
    this.#end = options.end;
    this.#channel = new RemoteChannel(options.send);
  }

  /** To be called once, before anything else. */
  async start(options: StartOptions): Promise<void> {
    await this.#channel.request({ kind: 'start', options });
  }

  async openLeg(options: LegOptions): Promise<MediaLeg> {
    const number = this.#channel.newNumber();
    this.#opening.add(number);
    try {
      const id = (await this.#channel.request({ kind: 'open-leg', leg: number, options })) as string;
      const onClosing = (closed: number): void => this.#forget(closed);
      const packetLimit = options.kind !== 'rtp' ? { packetLimit: new PacketLimit(this.#clock, FRAME_LIMITS) } : {};
      const leg = new RemoteLeg({ id, number, node: this, channel: this.#channel, onClosing, ...packetLimit });
      this.#legs.set(number, leg);
      return leg;
    } finally {
      this.#opening.delete(number);
    }
  }

  async bridge(legs: readonly MediaLeg[], options: BridgeOptions = {}): Promise<MediaBridge> {
    const channel = this.#channel;
    const bridge = channel.newNumber();
    await channel.request({
      kind: 'bridge',
      bridge,
      legs: legs.map((leg) => this.#numberOf(leg)),
      listeners: (options.listeners ?? []).map((leg) => this.#numberOf(leg)),
      passDigits: options.passDigits ?? false,
    });
    return {
      record: (recordOptions: BridgeRecordOptions): Recording =>
        channel.recording((task) => ({ kind: 'record-bridge', bridge, task, options: recordOptions })),
      close: async () => {
        await channel.request({ kind: 'close-bridge', bridge });
      },
    };
  }

  load(): MediaLoad {
    const gone = this.#channel.lost !== undefined || this.#closing !== undefined;
    return { ...this.#load, legs: this.#opening.size + this.#legs.size, accepting: this.#load.accepting && !gone };
  }

  onLost(handler: (reason: string) => void): void {
    const { lost } = this.#channel;
    if (lost === undefined) this.#lostHandlers.push(handler);
    else if (this.#closing === undefined) queueMicrotask(() => handler(lost));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** What the other side says. */
  take(report: NodeReport): void {
    if (report.kind === 'frame') this.#legs.get(report.leg)?.takeFrame(Buffer.from(report.packet, 'base64'));
    else if (report.kind === 'event') this.#legs.get(report.leg)?.tell(report.event);
    else if (report.kind === 'load') this.#load = report.load;
    else this.#channel.take(report);
  }

  /** The other side is gone: everything that waits for it is settled, then the handlers are told (not after `close`). */
  lose(reason: string): void {
    if (this.#channel.lost !== undefined) return;
    this.#channel.lose(`media process ${this.id} is lost: ${reason}`);
    this.#legs.clear();
    this.#opening.clear();
    if (this.#closing !== undefined) return;
    for (const handler of this.#lostHandlers) handler(reason);
  }

  #forget(leg: number): void {
    this.#legs.delete(leg);
  }

  async #close(): Promise<void> {
    await this.#channel.request({ kind: 'close' }).catch(() => undefined);
    await this.#end();
  }

  #numberOf(leg: MediaLeg): number {
    if (leg instanceof RemoteLeg && leg.node === this) return leg.number;
    throw new MediaError(
      'closed',
      `media node ${this.id}: leg ${leg.id} is on another node; open it near the other leg`,
    );
  }
}
