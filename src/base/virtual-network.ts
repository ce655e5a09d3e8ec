import { after, type Clock } from './clock.ts';
import {
  formatEndpoint,
  type DatagramSocket,
  type Endpoint,
  type Network,
  type StreamConnection,
  type StreamListener,
} from './network.ts';
import type { Random } from './random.ts';
import { VirtualLink, type LinkQuality } from './virtual-link.ts';
import { virtualStreamPair } from './virtual-stream.ts';

const MAX_DATAGRAM_BYTES = 65_507;
const FIRST_FREE_PORT = 49_152;
const LAST_PORT = 65_535;
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];
const WILDCARD: readonly string[] = ['0.0.0.0', '::'];

export interface VirtualNetworkOptions extends Partial<LinkQuality> {
  readonly clock: Clock;
  /** Decides delays and losses; `seededRandom` repeats a run. */
  readonly random: Random;
}

/** Hosts that reach each other in memory, for tests in virtual time. Addresses that no host has swallow what is sent. */
export class VirtualNetwork {
  readonly #hosts = new Map<string, VirtualHost>();
  readonly #link: VirtualLink;

  constructor(options: VirtualNetworkOptions) {
    const { delayMs = 0, jitterMs = 0, lossRate = 0 } = options;
    this.#link = new VirtualLink(options.clock, options.random, { delayMs, jitterMs, lossRate });
  }

  /** Adds a host with these addresses, besides its loopback; gives its view of the network. */
  host(...addresses: readonly string[]): Network {
    const taken = addresses.find((address) => this.#hosts.has(address));
    if (taken !== undefined) throw systemError('EADDRINUSE', `another host has ${taken}`);
    const host = new VirtualHost(addresses, this.#link, (address) => this.#hosts.get(address));
    for (const address of addresses) this.#hosts.set(address, host);
    return host;
  }
}

class VirtualHost implements Network {
  readonly #addresses: readonly string[];
  readonly #link: VirtualLink;
  readonly #hostAt: (address: string) => VirtualHost | undefined;
  readonly #sockets = new Map<string, VirtualDatagramSocket>();
  readonly #listeners = new Map<string, VirtualListener>();

  constructor(addresses: readonly string[], link: VirtualLink, hostAt: (address: string) => VirtualHost | undefined) {
    this.#addresses = addresses;
    this.#link = link;
    this.#hostAt = hostAt;
  }

  async bindDatagram(at: Endpoint): Promise<DatagramSocket> {
    const local = this.#free(at, this.#sockets);
    const socket = new VirtualDatagramSocket(local, {
      send: (bytes, to) => this.#sendDatagram(local, bytes, to),
      closed: () => this.#sockets.delete(formatEndpoint(local)),
    });
    this.#sockets.set(formatEndpoint(local), socket);
    return socket;
  }

  async listen(at: Endpoint): Promise<StreamListener> {
    const local = this.#free(at, this.#listeners);
    const listener = new VirtualListener(local, () => this.#listeners.delete(formatEndpoint(local)));
    this.#listeners.set(formatEndpoint(local), listener);
    return listener;
  }

  connect(to: Endpoint, options: { readonly timeoutMs: number }): Promise<StreamConnection> {
    const { clock } = this.#link;
    return new Promise((resolve, reject) => {
      const name = formatEndpoint(to);
      const giveUp = after(clock, options.timeoutMs, () => {
        reject(systemError('ETIMEDOUT', `no connection to ${name} within ${options.timeoutMs} ms`));
      });
      const target = this.#target(to.address);
      const source = this.#sourceFor(to.address);
      if (target === undefined || source === undefined) return;
      const link = target === this ? this.#link.withinHost : this.#link;
      after(clock, link.delayMs(), () => {
        const listener = found(target.#listeners, to);
        const local = { address: source, port: this.#freePort(source, this.#listeners) };
        const [near, far] = virtualStreamPair(link, local, to);
        listener?.accept(far);
        after(clock, link.delayMs(), () => {
          giveUp();
          if (listener === undefined) reject(systemError('ECONNREFUSED', `nobody listens at ${name}`));
          else resolve(near);
        });
      });
    });
  }

  async routeTo(address: string): Promise<string> {
    const source = this.#sourceFor(address);
    if (source === undefined) throw systemError('ENETUNREACH', `no address of this host leads to ${address}`);
    return source;
  }

  #sendDatagram(local: Endpoint, bytes: Uint8Array, to: Endpoint): Error | undefined {
    if (bytes.length > MAX_DATAGRAM_BYTES) return systemError('EMSGSIZE', `datagram of ${bytes.length} bytes`);
    const address = WILDCARD.includes(local.address) ? this.#sourceFor(to.address) : local.address;
    if (address === undefined) return systemError('ENETUNREACH', `no address of this host leads to ${to.address}`);
    const from = { address, port: local.port };
    const copy = bytes.slice();
    const target = this.#target(to.address);
    const link = target === this ? this.#link.withinHost : this.#link;
    if (target !== undefined) link.send(() => found(target.#sockets, to)?.receive(copy, from));
    return undefined;
  }

  #target(address: string): VirtualHost | undefined {
    return LOOPBACK.includes(address) ? this : this.#hostAt(address);
  }

  #sourceFor(address: string): string | undefined {
    if (LOOPBACK.includes(address)) return address;
    return this.#addresses.find((own) => own.includes(':') === address.includes(':'));
  }

  #free(at: Endpoint, taken: ReadonlyMap<string, unknown>): Endpoint {
    const own = [...this.#addresses, ...LOOPBACK, ...WILDCARD];
    if (!own.includes(at.address)) throw systemError('EADDRNOTAVAIL', `this host has no address ${at.address}`);
    const local = { address: at.address, port: at.port === 0 ? this.#freePort(at.address, taken) : at.port };
    if (taken.has(formatEndpoint(local))) throw systemError('EADDRINUSE', `${formatEndpoint(local)} is taken`);
    return local;
  }

  #freePort(address: string, taken: ReadonlyMap<string, unknown>): number {
    for (let port = FIRST_FREE_PORT; port <= LAST_PORT; port += 1) {
      if (!taken.has(formatEndpoint({ address, port }))) return port;
    }
    throw systemError('EADDRINUSE', `${address} has no free port`);
  }
}

/** What is bound to the address itself, else to the wildcard of its family. */
function found<T>(bound: ReadonlyMap<string, T>, to: Endpoint): T | undefined {
  const wildcard = to.address.includes(':') ? '::' : '0.0.0.0';
  return bound.get(formatEndpoint(to)) ?? bound.get(formatEndpoint({ address: wildcard, port: to.port }));
}

interface SocketOwner {
  send(bytes: Uint8Array, to: Endpoint): Error | undefined;
  closed(): void;
}

class VirtualDatagramSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly #owner: SocketOwner;
  #open = true;
  #onMessage: ((bytes: Uint8Array, from: Endpoint) => void) | undefined;
  #onError: ((error: Error, to?: Endpoint) => void) | undefined;

  constructor(local: Endpoint, owner: SocketOwner) {
    this.local = local;
    this.#owner = owner;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    const error = this.#open ? this.#owner.send(bytes, to) : systemError('EBADF', 'the socket is closed');
    if (error !== undefined) this.#onError?.(error, to);
  }

  onMessage(handler: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.#onMessage = handler;
  }

  onError(handler: (error: Error, to?: Endpoint) => void): void {
    this.#onError = handler;
  }

  receive(bytes: Uint8Array, from: Endpoint): void {
    if (this.#open) this.#onMessage?.(bytes, from);
  }

  async close(): Promise<void> {
    if (this.#open) this.#owner.closed();
    this.#open = false;
  }
}

class VirtualListener implements StreamListener {
  readonly local: Endpoint;
  readonly #closed: () => void;
  #open = true;
  #onConnection: ((connection: StreamConnection) => void) | undefined;

  constructor(local: Endpoint, closed: () => void) {
    this.local = local;
    this.#closed = closed;
  }

  onConnection(handler: (connection: StreamConnection) => void): void {
    this.#onConnection = handler;
  }

  accept(connection: StreamConnection): void {
    if (this.#onConnection === undefined) connection.destroy();
    else this.#onConnection(connection);
  }

  async close(): Promise<void> {
    if (this.#open) this.#closed();
    this.#open = false;
  }
}

/** As the system's errors: `code` is its name for the failure. */
function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
