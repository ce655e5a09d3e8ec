import { availableParallelism } from 'node:os';
import { after, systemClock, type Cancel, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { silentLogger, type Logger } from '../base/logger.ts';
import { openMediaNode, type ChildMediaNodeOptions } from './child-node.ts';
import { MediaError } from './media-error.ts';
import type { BridgeOptions, LegOptions, MediaBridge, MediaLeg, MediaLoad, MediaNode } from './media-node.ts';
import type { PortRange } from './port-range.ts';
import { TaskGroup } from '../base/lifecycle.ts';

export interface MediaPoolOptions extends Omit<ChildMediaNodeOptions, 'id'> {
  /** How many media processes; default one for each core but one, at least one. Each gets its share of the ports. */
  readonly processes?: number;
  readonly logger?: Logger;
  /** Opens one node; default a child process. */
  readonly open?: (options: ChildMediaNodeOptions) => Promise<MediaNode>;
}

/** A process that dies at once again is replaced after a wait that doubles up to this. */
const MAX_RESTART_DELAY_MS = 30_000;
const FIRST_RESTART_DELAY_MS = 500;
/** A process that lived this long was well. */
const HEALTHY_MS = 60_000;

interface Slot {
  readonly number: number;
  readonly portRange: PortRange;
  node: MediaNode | undefined;
  startedMs: number;
  failures: number;
  cancelRestart: Cancel | undefined;
}

/** Starts the media processes. Rejects when one of them does not come up. */
export async function openMediaPool(options: MediaPoolOptions): Promise<MediaPool> {
  const pool = new MediaPool(options);
  await pool.start();
  return pool;
}

/**
 * Several media nodes as one. A leg is opened near another when they are to hear each other, else on the node with the
 * fewest; `leg.node` is its real node, whose `onLost` tells the end of just the calls there.
 */
export class MediaPool implements MediaNode {
  readonly id = 'media';
  readonly #options: MediaPoolOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #slots: readonly Slot[];
  readonly #lostHandlers: ((reason: string) => void)[] = [];
  readonly #restarts: TaskGroup;
  #closing: Promise<void> | undefined;

  constructor(options: MediaPoolOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    const count = options.processes ?? Math.max(1, availableParallelism() - 1);
    this.#slots = shares(options.portRange, count).map((portRange, index) => {
      return { number: index + 1, portRange, node: undefined, startedMs: 0, failures: 0, cancelRestart: undefined };
    });
    this.#restarts = new TaskGroup((error) => this.#logger.error({ error: errorText(error) }, 'media process restart'));
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#slots.map((slot) => this.#open(slot)));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** As MediaNode.openLeg; with `near`, on that leg's node whatever its load, or not at all. */
  openLeg(options: LegOptions, near?: MediaLeg): Promise<MediaLeg> {
    if (near !== undefined) return near.node.openLeg({ ...options, joining: true });
    const [best] = this.#nodes()
      .filter((node) => node.load().accepting)
      .sort((a, b) => a.load().legs - b.load().legs);
    if (best !== undefined) return best.openLeg(options).catch((error: unknown) => this.#elsewhere(error, options));
    const { legs, latenessMs } = this.load();
    const state = `${legs} legs on ${this.#nodes().length} processes, ${Math.round(latenessMs)} ms late`;
    return Promise.reject(new MediaError('overloaded', `no media process takes a leg now: ${state}; try again later`));
  }

  bridge(legs: readonly MediaLeg[], options?: BridgeOptions): Promise<MediaBridge> {
    const [first] = legs;
    if (first === undefined) return Promise.reject(new MediaError('closed', 'a bridge of no legs: want at least one'));
    return first.node.bridge(legs, options);
  }

  /** The sum of the legs, the worst lateness, and whether any process takes a leg. */
  load(): MediaLoad {
    const loads = this.#nodes().map((node) => node.load());
    return {
      legs: loads.reduce((sum, load) => sum + load.legs, 0),
      latenessMs: Math.max(0, ...loads.map((load) => load.latenessMs)),
      accepting: this.#closing === undefined && loads.some((load) => load.accepting),
    };
  }

  /** Told for each process that dies; the pool itself lives on and replaces it. */
  onLost(handler: (reason: string) => void): void {
    this.#lostHandlers.push(handler);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #nodes(): readonly MediaNode[] {
    return this.#slots.flatMap((slot) => slot.node ?? []);
  }

  /** A process that died while it opened the leg has sent nothing: another one can carry it. Each can die so only once. */
  async #elsewhere(error: unknown, options: LegOptions): Promise<MediaLeg> {
    if (error instanceof MediaError && error.code === 'lost') return this.openLeg(options);
    throw error;
  }

  async #open(slot: Slot): Promise<void> {
    const { processes: _, logger: _logger, open = openMediaNode, ...options } = this.#options;
    const node = await open({ ...options, portRange: slot.portRange, id: `media-${slot.number}` });
    slot.startedMs = this.#clock.now();
    if (this.#closing !== undefined) {
      await node.close();
      return;
    }
    slot.node = node;
    node.onLost((reason) => this.#lost(slot, reason));
  }

  #lost(slot: Slot, reason: string): void {
    slot.node = undefined;
    this.#logger.error({ process: slot.number, reason }, 'a media process is lost; its calls end, and it is replaced');
    if (this.#clock.now() - slot.startedMs > HEALTHY_MS) slot.failures = 0;
    for (const handler of this.#lostHandlers) handler(reason);
    this.#restart(slot);
  }

  #restart(slot: Slot): void {
    if (this.#closing !== undefined) return;
    const delayMs = Math.min(MAX_RESTART_DELAY_MS, FIRST_RESTART_DELAY_MS * 2 ** slot.failures);
    slot.failures += 1;
    slot.cancelRestart = after(this.#clock, delayMs, () => {
      this.#restarts.run(async () => {
        try {
          await this.#open(slot);
        } catch (error) {
          this.#logger.error({ process: slot.number, error: errorText(error) }, 'a media process does not start');
          this.#restart(slot);
        }
      });
    });
  }

  async #close(): Promise<void> {
    for (const slot of this.#slots) slot.cancelRestart?.();
    await this.#restarts.settled();
    await Promise.all(this.#nodes().map((node) => node.close()));
  }
}

/** Cuts a range into shares that begin on even ports; fewer shares than asked when the range is too small. */
function shares(range: PortRange, wanted: number): readonly PortRange[] {
  const firstEven = range.low + (range.low % 2);
  const pairs = Math.floor((range.high - firstEven + 1) / 2);
  const count = Math.max(1, Math.min(wanted, pairs));
  const each = 2 * Math.floor(pairs / count);
  return Array.from({ length: count }, (_, index) => {
    const low = firstEven + index * each;
    return { low, high: index === count - 1 ? range.high : low + each - 1 };
  });
}
