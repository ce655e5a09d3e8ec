import type { Socket } from 'node:net';
import { isLoopback } from '../api/authentication.ts';
import { after, type Cancel, type Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';

export interface ConnectionBounds {
  readonly maxConnections: number;
  /** Of one address; not of this machine itself, where a proxy stands for many. */
  readonly maxPerSource: number;
}

/** Below the descriptors that a process usually has; an office behind one NAT, with a few connections a browser, fits. */
export const HTTP_CONNECTIONS: ConnectionBounds = { maxConnections: 10_000, maxPerSource: 1_000 };
const SUMMARY_MS = 60_000;

/** Counts the open connections of the HTTP doors together, and cuts what is too many before it costs anything. */
export class ConnectionLimit {
  readonly #bounds: ConnectionBounds;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #perSource = new Map<string, number>();
  #open = 0;
  #refused = 0;
  #stopSummary: Cancel | undefined;

  constructor(options: { readonly clock: Clock; readonly log: Logger; readonly bounds?: ConnectionBounds }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#bounds = options.bounds ?? HTTP_CONNECTIONS;
  }

  /** False when the connection was cut. */
  take(socket: Socket): boolean {
    const source = socket.remoteAddress ?? '';
    const ofSource = this.#perSource.get(source) ?? 0;
    const tooMany = ofSource >= this.#bounds.maxPerSource && !isLoopback(source);
    if (tooMany || this.#open >= this.#bounds.maxConnections) {
      this.#refused += 1;
      // Told once a while: the log is not for strangers to fill.
      this.#stopSummary ??= after(this.#clock, SUMMARY_MS, () => this.#summarize());
      socket.destroy();
      return false;
    }
    this.#open += 1;
    this.#perSource.set(source, ofSource + 1);
    socket.once('close', () => {
      this.#open -= 1;
      const left = (this.#perSource.get(source) ?? 1) - 1;
      if (left > 0) this.#perSource.set(source, left);
      else this.#perSource.delete(source);
    });
    return true;
  }

  close(): void {
    this.#stopSummary?.();
  }

  #summarize(): void {
    this.#stopSummary = undefined;
    const { maxConnections, maxPerSource } = this.#bounds;
    this.#log.warn(
      { refused: this.#refused, maxConnections, maxPerSource },
      'refused HTTP connections: too many are open',
    );
    this.#refused = 0;
  }
}
