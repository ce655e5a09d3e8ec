import type { Clock } from '../../base/clock.ts';
import type { StreamConnection } from '../../base/network.ts';
import type { SipMessage } from '../../wire/sip/message.ts';
import { StreamFramer, type StreamEvent } from '../../wire/sip/stream-framer.ts';
import type { Flow } from './hop.ts';

export interface StreamTimes {
  /** A connection on which nothing came for this long is closed. */
  readonly idleMs: number;
  /** A message that began (and the first one on a connection that was opened to us) is complete within this time. */
  readonly messageMs: number;
  /** A peer that takes none of our bytes for this long is cut. */
  readonly stuckMs: number;
}

/** Longer than the longest registration, so that a phone's refresh always comes before its connection is closed. */
export const DEFAULT_STREAM_TIMES: StreamTimes = { idleMs: 3_900_000, messageMs: 15_000, stuckMs: 15_000 };

export interface StreamObserver {
  message(message: SipMessage, flow: Flow): void;
  closed(connection: SipStream, reason: string): void;
}

const CRLF = new Uint8Array([13, 10]);

/** One connection that carries SIP: frames what comes, answers keep-alives, and knows when its peer wastes it. */
export class SipStream {
  readonly flow: Flow;
  readonly #connection: StreamConnection;
  readonly #clock: Clock;
  readonly #observer: StreamObserver;
  readonly #framer = new StreamFramer();
  #lastDataMs: number;
  /** When the message began that is not complete yet; of a peer that has sent none, when it connected. */
  #incompleteSinceMs: number | undefined;
  /** Whether it has carried a message, or was opened here to carry one. */
  #spoke: boolean;
  /** When the system first refused to take more of our bytes. */
  #stuckSinceMs: number | undefined;
  #closed = false;

  constructor(options: {
    readonly connection: StreamConnection;
    readonly flow: Flow;
    readonly opened: 'by-us' | 'by-peer';
    readonly clock: Clock;
    readonly observer: StreamObserver;
  }) {
    this.flow = options.flow;
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#lastDataMs = this.#clock.now();
    this.#spoke = options.opened === 'by-us';
    if (!this.#spoke) this.#incompleteSinceMs = this.#lastDataMs;
    this.#connection.onData((bytes) => this.#receive(bytes));
    this.#connection.onClose((error) => this.#finish(error?.message ?? 'the peer closed the connection'));
  }

  send(bytes: Uint8Array): void {
    if (this.#connection.write(bytes)) this.#stuckSinceMs = undefined;
    else this.#stuckSinceMs ??= this.#clock.now();
  }

  /** Why this connection is to be cut now, if it is. */
  wasted(times: StreamTimes): string | undefined {
    const nowMs = this.#clock.now();
    if (nowMs - this.#lastDataMs > times.idleMs) return 'nothing came for too long';
    if (nowMs - (this.#incompleteSinceMs ?? nowMs) > times.messageMs) return 'a message did not end in time';
    if (nowMs - (this.#stuckSinceMs ?? nowMs) > times.stuckMs) return 'the peer takes no bytes';
    return undefined;
  }

  cut(reason: string): void {
    this.#connection.destroy();
    this.#finish(reason);
  }

  /** Lets what is waiting leave first. */
  end(reason: string): void {
    this.#connection.end();
    this.#finish(reason);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#lastDataMs = this.#clock.now();
    for (const event of this.#framer.push(bytes)) {
      if (this.#closed) return;
      this.#take(event);
      // What follows a whole message began with this chunk at the earliest.
      if (event.kind !== 'message') continue;
      this.#spoke = true;
      this.#incompleteSinceMs = undefined;
    }
    // Keep-alives alone hold no connection that never carried a message.
    if (this.#framer.midMessage) this.#incompleteSinceMs ??= this.#lastDataMs;
    else if (this.#spoke) this.#incompleteSinceMs = undefined;
  }

  #take(event: StreamEvent): void {
    switch (event.kind) {
      case 'message':
        return this.#observer.message(event.message, this.flow);
      case 'ping':
        // RFC 5626 3.5.1: a double CRLF asks for a single one.
        return this.send(CRLF);
      case 'pong':
        return;
      case 'bad':
        // The message goes up first, so that a request gets its 400 before the connection ends.
        if (event.message !== undefined) this.#observer.message(event.message, this.flow);
        return this.end(event.reason);
    }
  }

  #finish(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#observer.closed(this, reason);
  }
}
