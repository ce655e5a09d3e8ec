import { after, type Cancel, type Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { formatEndpoint, type Endpoint, type Network, type StreamConnection } from '../../base/network.ts';
import { randomHex, type Random } from '../../base/random.ts';
import type { SipMessage } from '../../wire/sip/message.ts';
import { SipError } from '../sip-error.ts';
import type { Flow, Hop } from './hop.ts';
import { DEFAULT_STREAM_TIMES, SipStream, type StreamTimes } from './stream-connection.ts';

export interface StreamLimits {
  readonly maxConnections: number;
  /** Connections that one address may open to us. */
  readonly maxPerSource: number;
  readonly connectTimeoutMs: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  maxConnections: 4_096,
  maxPerSource: 512,
  connectTimeoutMs: 4_000,
};

const SWEEP_MS = 5_000;
const CONNECTION_ID_BYTES = 6;

export interface StreamTableOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What Via and Contact say toward the peer of a connection. */
  readonly localFor: (connection: StreamConnection) => Endpoint;
  readonly limits?: StreamLimits;
  readonly times?: StreamTimes;
}

/** All TCP connections of one engine: found by id or peer, opened on demand, bounded, and swept. */
export class StreamTable {
  readonly #options: StreamTableOptions;
  readonly #limits: StreamLimits;
  readonly #times: StreamTimes;
  readonly #byId = new Map<string, SipStream>();
  readonly #byRemote = new Map<string, SipStream>();
  readonly #opening = new Map<string, Promise<SipStream>>();
  readonly #perSource = new Map<string, number>();
  #onMessage: (message: SipMessage, flow: Flow) => void = () => undefined;
  #stopSweep: Cancel | undefined;
  /** Connections refused since the last sweep. */
  #refused = 0;
  #closed = false;

  constructor(options: StreamTableOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_STREAM_LIMITS;
    this.#times = options.times ?? DEFAULT_STREAM_TIMES;
  }

  onMessage(handler: (message: SipMessage, flow: Flow) => void): void {
    this.#onMessage = handler;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Takes a connection that a peer opened, or cuts it when there are too many. */
  accept(connection: StreamConnection): void {
    const source = connection.remote.address;
    const full = this.#byId.size >= this.#limits.maxConnections;
    if (this.#closed || full || (this.#perSource.get(source) ?? 0) >= this.#limits.maxPerSource) {
      // Told once a while: the log is not for strangers to fill.
      if (this.#refused === 0) this.#options.logger.warn({ source }, 'refused a TCP connection: too many are open');
      this.#refused += 1;
      connection.destroy();
      return;
    }
    this.#add(connection, 'by-peer');
  }

  /** A connection that is already there, by its id or by its peer. */
  find(hop: Hop): SipStream | undefined {
    return hop.connectionId === undefined
      ? this.#byRemote.get(formatEndpoint(hop.remote))
      : this.#byId.get(hop.connectionId);
  }

  /** The connection to a peer, opened when there is none; a hop that names a lost connection is unreachable. */
  async open(hop: Hop): Promise<SipStream> {
    const existing = this.find(hop);
    if (existing !== undefined) return existing;
    const to = formatEndpoint(hop.remote);
    if (hop.connectionId !== undefined) {
      throw new SipError('unreachable', `the connection to ${to} is closed: wait until the phone registers again`);
    }
    const pending = this.#opening.get(to) ?? this.#connect(hop.remote).finally(() => this.#opening.delete(to));
    this.#opening.set(to, pending);
    return pending;
  }

  close(): void {
    this.#closed = true;
    this.#stopSweep?.();
    for (const stream of [...this.#byId.values()]) stream.end('this server closes');
  }

  async #connect(remote: Endpoint): Promise<SipStream> {
    if (this.#byId.size >= this.#limits.maxConnections) {
      throw new SipError('overloaded', `${this.#limits.maxConnections} TCP connections are open: no more is opened`);
    }
    const connection = await this.#options.network
      .connect(remote, { timeoutMs: this.#limits.connectTimeoutMs })
      .catch((cause: unknown) => {
        throw new SipError('unreachable', `no TCP connection to ${formatEndpoint(remote)}`, { cause });
      });
    if (this.#closed) {
      connection.destroy();
      throw new SipError('unreachable', 'this engine is closed');
    }
    return this.#add(connection, 'by-us');
  }

  #add(connection: StreamConnection, opened: 'by-us' | 'by-peer'): SipStream {
    const { clock, random, localFor, logger } = this.#options;
    const connectionId = randomHex(random, CONNECTION_ID_BYTES);
    const { remote } = connection;
    const flow: Flow = { transport: 'tcp', remote, connectionId, local: localFor(connection) };
    const stream = new SipStream({
      connection,
      flow,
      opened,
      clock,
      observer: {
        message: (message, from) => this.#onMessage(message, from),
        closed: (closed, reason) => {
          logger.debug({ remote: formatEndpoint(remote), reason }, 'TCP connection closed');
          this.#remove(closed);
        },
      },
    });
    this.#byId.set(connectionId, stream);
    this.#byRemote.set(formatEndpoint(remote), stream);
    this.#perSource.set(remote.address, (this.#perSource.get(remote.address) ?? 0) + 1);
    this.#stopSweep ??= after(clock, SWEEP_MS, () => this.#sweep());
    return stream;
  }

  #remove(stream: SipStream): void {
    const { connectionId, remote } = stream.flow;
    if (connectionId === undefined || !this.#byId.delete(connectionId)) return;
    const key = formatEndpoint(remote);
    if (this.#byRemote.get(key) === stream) this.#byRemote.delete(key);
    const left = (this.#perSource.get(remote.address) ?? 1) - 1;
    if (left > 0) this.#perSource.set(remote.address, left);
    else this.#perSource.delete(remote.address);
  }

  #sweep(): void {
    this.#stopSweep = undefined;
    if (this.#refused > 1) this.#options.logger.warn({ count: this.#refused }, 'refused TCP connections');
    this.#refused = 0;
    for (const stream of [...this.#byId.values()]) {
      const reason = stream.wasted(this.#times);
      if (reason !== undefined) stream.cut(reason);
    }
    if (this.#byId.size > 0) this.#stopSweep = after(this.#options.clock, SWEEP_MS, () => this.#sweep());
  }
}
