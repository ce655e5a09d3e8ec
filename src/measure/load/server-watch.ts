import { after, type Cancel, type Clock } from '../../base/clock.ts';
import { readCpu, type CpuReading } from './cpu-reading.ts';
import type { SecondView } from './live-table.ts';
import { reason, type ServerDoor } from './server-door.ts';
import type { Tally } from './tally.ts';

const SECOND_MS = 1_000;
/** Looks that must fail one after the other before the server counts as gone. */
const MISSED_LOOKS = 2;
const NOBODY_LISTENS = new Set(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']);

export interface ServerWatchOptions {
  readonly clock: Clock;
  /** What looks at the server does not wait behind the load. */
  readonly lookout: ServerDoor;
  readonly tally: Tally;
  /** The server's process; undefined where it is not on this machine. */
  readonly pid: number | undefined;
  told(second: SecondView): void;
}

/** Looks at the server once a second while it is loaded: tells what the second was like, and notices when it is gone. */
export class ServerWatch {
  readonly #options: ServerWatchOptions;
  readonly #gone = new AbortController();
  #last: CpuReading | undefined;
  #fault: string | undefined;
  #missed = 0;
  #isLooking = false;
  #cancel: Cancel = () => undefined;

  constructor(options: ServerWatchOptions) {
    this.#options = options;
  }

  /** Aborts when the server is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Since when the server is gone, once it is. */
  get fault(): string | undefined {
    return this.#fault;
  }

  start(): void {
    const { clock, pid } = this.#options;
    const reading = readCpu(clock, pid);
    this.#last = reading;
    this.#isLooking = true;
    this.#cancel = after(clock, SECOND_MS, () => this.#look(reading.atMs, 1));
  }

  stop(): void {
    this.#isLooking = false;
    this.#cancel();
  }

  #look(startMs: number, second: number): void {
    const { clock, tally } = this.#options;
    this.#options.told({ second, ...tally.look(), serverCpuPercent: this.#serverCpuPercent() });
    void this.#isThere().then((isThere) => {
      this.#missed = isThere ? 0 : this.#missed + 1;
      if (this.#isLooking && this.#missed >= MISSED_LOOKS) this.#lost(second);
    });
    this.#cancel = clock.at(startMs + (second + 1) * SECOND_MS, () => this.#look(startMs, second + 1));
  }

  #serverCpuPercent(): number | undefined {
    const last = this.#last;
    const now = readCpu(this.#options.clock, this.#options.pid);
    this.#last = now;
    if (now.server === undefined || last?.server === undefined) return undefined;
    return ((now.server - last.server) / ((now.atMs - last.atMs) / SECOND_MS)) * 100;
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#options.lookout.control('GET', '/status');
      return true;
    } catch (error) {
      // One that is slow is there.
      return !NOBODY_LISTENS.has(reason(error));
    }
  }

  #lost(second: number): void {
    const { url } = this.#options.lookout.target;
    this.#fault ??= `the server at ${url} is gone since second ${second - MISSED_LOOKS + 1} of the run`;
    this.#gone.abort();
  }
}
