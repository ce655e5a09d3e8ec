import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net';
import type { DatagramSocket, Endpoint, Network, StreamConnection, StreamListener } from '../base/network.ts';

export const UDP_RECEIVE_BUFFER_BYTES = 1 << 20;
/** Any port does: a connected UDP socket sends nothing, it only asks for the route. */
const ROUTE_PROBE_PORT = 9;

/** The Network port on this machine's sockets. */
export const nodeNetwork: Network = { bindDatagram, listen, connect: open, routeTo };

async function bindDatagram(at: Endpoint): Promise<DatagramSocket> {
  const type = family(at.address);
  const socket = createSocket({ type, recvBufferSize: UDP_RECEIVE_BUFFER_BYTES, lookup: literal(type) });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: at.address, port: at.port, exclusive: true }, () => {
      socket.removeListener('error', reject);
      resolve();
    });
  });
  return new NodeDatagramSocket(socket);
}

type Found = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Endpoints hold literals, so no name is ever looked up; without this each datagram waits for the resolver's turn. */
function literal(type: 'udp4' | 'udp6'): (host: string, options: unknown, found: Found) => void {
  if (type === 'udp4') return (host, _options, found) => found(null, host, 4);
  return (host, _options, found) => found(null, host.includes(':') ? host : `::ffff:${host}`, 6);
}

class NodeDatagramSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly #socket: UdpSocket;
  #closed = false;
  #onError: (error: Error, to?: Endpoint) => void = () => undefined;

  constructor(socket: UdpSocket) {
    this.#socket = socket;
    this.local = endpointOf(socket.address());
    socket.on('error', (error) => this.#onError(error));
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed) return;
    try {
      this.#socket.send(bytes, to.port, to.address, (error) => {
        if (error !== null) this.#onError(error, to);
      });
    } catch (error) {
      // A port or address that the system refuses outright throws before the callback is kept.
      queueMicrotask(() => this.#onError(error instanceof Error ? error : new Error(String(error)), to));
    }
  }

  onMessage(handler: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.#socket.on('message', (bytes, from) => handler(bytes, { address: plain(from.address), port: from.port }));
  }

  onError(handler: (error: Error, to?: Endpoint) => void): void {
    this.#onError = handler;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

async function listen(at: Endpoint): Promise<StreamListener> {
  const server = createServer({ noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.address, port: at.port, exclusive: true }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  return new NodeStreamListener(server);
}

class NodeStreamListener implements StreamListener {
  readonly local: Endpoint;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    this.local = endpointOf(server.address() as AddressInfo);
    // Running out of descriptors reaches the server as an error event; the listener goes on.
    server.on('error', () => undefined);
  }

  onConnection(handler: (connection: StreamConnection) => void): void {
    this.#server.on('connection', (socket) => {
      if (socket.remoteAddress === undefined) socket.destroy();
      else handler(new NodeStreamConnection(socket));
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    // The callback waits for every connection, and those belong to others: only listening ends here.
    this.#server.close();
  }
}

class NodeStreamConnection implements StreamConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #error: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = { address: plain(socket.localAddress ?? ''), port: socket.localPort ?? 0 };
    this.remote = { address: plain(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    socket.on('error', (error) => (this.#error = error));
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(bytes) : false;
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#socket.on('data', handler);
  }

  onClose(handler: (error?: Error) => void): void {
    this.#socket.once('close', () => handler(this.#error));
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function open(
  to: Endpoint,
  options: { readonly timeoutMs: number; readonly from?: string },
): Promise<StreamConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: to.address,
      port: to.port,
      noDelay: true,
      ...(options.from !== undefined && { localAddress: options.from }),
    });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const late = setTimeout(() => fail(new Error(`connect ETIMEDOUT ${to.address}:${to.port}`)), options.timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(late);
      fail(error);
    });
    socket.once('connect', () => {
      clearTimeout(late);
      socket.removeAllListeners('error');
      resolve(new NodeStreamConnection(socket));
    });
  });
}

/** Asks the system's routing table through a connected UDP socket: nothing is sent. */
async function routeTo(address: string): Promise<string> {
  const socket = createSocket(family(address));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(ROUTE_PROBE_PORT, address, () => resolve());
    });
    return plain(socket.address().address);
  } finally {
    socket.close();
  }
}

function family(address: string): 'udp4' | 'udp6' {
  return isIPv6(address) ? 'udp6' : 'udp4';
}

function endpointOf(address: AddressInfo): Endpoint {
  return { address: plain(address.address), port: address.port };
}

/** A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d; the rest of the program knows one spelling. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
