import { after, type Cancel, type Clock } from '../base/clock.ts';
import { afterEvent, NO_CALLS, type LiveCalls } from './live-calls.ts';
import type { LiveEvent } from './model.ts';
import { ServerTime } from './server-time.ts';
import { Store } from './store.ts';

/** The server beats every 10 s; after this long without anything the connection is dead, whatever the browser thinks. */
export const SILENCE_MS = 35_000;
/** How often it is looked at; a look that comes much later means that the tab or the machine slept. */
const LOOK_MS = 5_000;
const SLEPT_MS = 60_000;
/** The browser's own retry gives up on some failures; then the page tries again. */
const RETRY_MS = 3_000;

export interface LiveState {
  readonly connection: 'connecting' | 'live' | 'lost' | 'refused';
  readonly calls: LiveCalls;
  /** How long the tab slept, until somebody has seen the note. */
  readonly sleptMs: number | undefined;
}

const AT_FIRST: LiveState = { connection: 'connecting', calls: NO_CALLS, sleptMs: undefined };

/** What is used of an EventSource. */
export interface EventStream {
  readonly isClosed: boolean;
  onEvent(handler: (name: string, data: string) => void): void;
  onError(handler: () => void): void;
  close(): void;
}

export interface LivePorts {
  readonly clock: Clock;
  open(path: string): EventStream;
  /** True when the door wants credentials. */
  isRefused(): Promise<boolean>;
}

/** The server's events, for as long as the page lives: opened again when they stop, with everything anew. */
export class LiveConnection {
  readonly state = new Store(AT_FIRST);
  readonly time: ServerTime;
  readonly #ports: LivePorts;
  #stream: EventStream | undefined;
  #watched: string | undefined;
  #heardAt = 0;
  #isResting = false;
  #lookedAt = 0;
  #cancelLook: Cancel = () => undefined;
  #cancelRetry: Cancel = () => undefined;

  constructor(ports: LivePorts) {
    this.#ports = ports;
    this.time = new ServerTime(ports.clock);
  }

  start(): void {
    this.#lookedAt = this.#ports.clock.now();
    this.#open();
    this.#lookLater();
  }

  stop(): void {
    this.#cancelLook();
    this.#cancelRetry();
    this.#stream?.close();
    this.#stream = undefined;
    // Whoever comes in next is neither refused nor shown what the last one saw.
    this.state.set(AT_FIRST);
  }

  /** Whose steps are told; the stream begins anew with them. */
  watch(sid: string | undefined): void {
    if (sid === this.#watched) return;
    this.#watched = sid;
    if (this.#stream !== undefined) this.#open();
  }

  /** The page came back to the front, or the network is there again. */
  wake(): void {
    const hasRested = this.#isResting;
    this.#isResting = false;
    // What was let go is not lost.
    if (hasRested) this.#open();
    this.#look();
    const isOld = this.#ports.clock.now() - this.#heardAt > SILENCE_MS / 2;
    if (isOld || (this.#stream?.isClosed ?? true)) this.#open();
  }

  /** Nobody sees the page. Of one server a browser keeps six connections open, for all of its tabs. */
  rest(): void {
    this.#isResting = true;
    this.#cancelRetry();
    this.#stream?.close();
    this.#stream = undefined;
  }

  forgetSleep(): void {
    this.#change({ sleptMs: undefined });
  }

  #open(): void {
    this.#cancelRetry();
    this.#stream?.close();
    this.#heardAt = this.#ports.clock.now();
    const query = this.#watched === undefined ? '' : `?watch=${encodeURIComponent(this.#watched)}`;
    const stream = this.#ports.open(`/console/events${query}`);
    this.#stream = stream;
    stream.onEvent((name, data) => {
      if (stream === this.#stream) this.#heard(name, data);
    });
    stream.onError(() => {
      if (stream === this.#stream) this.#failed(stream);
    });
  }

  #heard(name: string, data: string): void {
    this.#heardAt = this.#ports.clock.now();
    const event = eventOf(name, data);
    if (event?.kind === 'snapshot') this.time.heard(event.now);
    const calls = event === undefined ? this.state.get().calls : afterEvent(this.state.get().calls, event);
    this.#change({ connection: 'live', calls });
  }

  #failed(stream: EventStream): void {
    this.#change({ connection: 'lost' });
    // It tries again by itself unless the answer was no event stream.
    if (!stream.isClosed) return;
    this.#ports.isRefused().then(
      (refused) => {
        if (stream !== this.#stream) return;
        if (refused) this.#change({ connection: 'refused' });
        else this.#retryLater();
      },
      () => {
        if (stream === this.#stream) this.#retryLater();
      },
    );
  }

  #retryLater(): void {
    this.#cancelRetry();
    this.#cancelRetry = after(this.#ports.clock, RETRY_MS, () => this.#open());
  }

  #lookLater(): void {
    this.#cancelLook = after(this.#ports.clock, LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const now = this.#ports.clock.now();
    const passed = now - this.#lookedAt;
    this.#lookedAt = now;
    if (passed > SLEPT_MS) this.#change({ sleptMs: passed });
    if (this.#isResting || now - this.#heardAt <= SILENCE_MS || this.state.get().connection === 'refused') return;
    this.#change({ connection: 'lost' });
    this.#open();
  }

  #change(changes: Partial<LiveState>): void {
    this.state.set({ ...this.state.get(), ...changes });
  }
}

function eventOf(name: string, data: string): LiveEvent | undefined {
  switch (name) {
    case 'snapshot':
    case 'entries':
      return { kind: name, ...(JSON.parse(data) as object) } as LiveEvent;
    case 'calls':
      return { kind: name, calls: JSON.parse(data) as Extract<LiveEvent, { kind: 'calls' }>['calls'] };
    default:
      return undefined;
  }
}
