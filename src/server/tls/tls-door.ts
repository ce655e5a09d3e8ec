import type { IncomingMessage } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type Server } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Endpoint } from '../../base/network.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { listenFrom, type ListenPlan } from '../listening.ts';
import type { ConnectionLimit } from '../connection-limit.ts';
import type { Certificates } from './certificates.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const TUNNEL_HOST = /^([a-z0-9-]+\.)*twilio\.com$/i;

export interface TlsDoorOptions {
  /** Opened by the first who comes: making an authority and a certificate takes longer than a start should. */
  readonly certificates: () => Promise<Certificates>;
  /** Undefined: no port of its own; tunnels are ended all the same. */
  readonly plan: ListenPlan | undefined;
  readonly log: Logger;
  readonly connections: ConnectionLimit;
}

export interface TlsDoor {
  readonly endpoint: Endpoint;
  /** Takes no further connections. */
  close(): void;
}

/**
 * The HTTP door once more, over TLS: requests come out of the handshake into the same server, with the same limits. As a
 * proxy (`HTTP_PROXY`) the plain door ends the tunnels to the vendor's hosts itself, so that an SDK with no line changed
 * talks to this place; it leads nowhere else.
 */
export async function openTlsDoor(app: FastifyInstance, options: TlsDoorOptions): Promise<TlsDoor | undefined> {
  const { plan, log, connections } = options;
  const take = handshakes(app, options);
  app.server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const [host = '', port = '443'] = (request.url ?? '').split(':');
    if (port !== '443' || !TUNNEL_HOST.test(host)) {
      // No limit of the server holds for a socket that it handed over: a client that keeps its half would keep all of it.
      socket.once('finish', () => socket.destroy());
      socket.end(
        'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis is no proxy to other hosts.\r\n',
      );
      return;
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    take(socket as Socket);
  });
  if (plan === undefined) return undefined;
  // Counted before the handshake: half of one holds a connection too.
  const server = createTcpServer((socket) => {
    if (connections.take(socket)) take(socket);
  });
  await listenFrom(plan, ({ address, port }) => listening(server, address, port));
  // From here on: a taken default port, passed over just now, is no failure.
  server.on('error', (error) => log.error({ error: errorText(error) }, 'the HTTPS door failed'));
  const bound = server.address() as AddressInfo;
  return {
    endpoint: { address: bound.address, port: bound.port },
    // Connections are the app's to close.
    close: () => void server.close(),
  };
}

/** Gives a function that takes raw connections through the handshake into the app. */
function handshakes(app: FastifyInstance, { certificates, log }: TlsDoorOptions): (socket: Socket) => void {
  let opening: Promise<Server> | undefined;
  const open = async (): Promise<Server> => {
    const opened = await certificates();
    const server = createServer({
      ...opened.secureOptions,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: ['http/1.1'],
      SNICallback: (name, done) => {
        opened.contextFor(name.toLowerCase()).then(
          (context) => done(null, context),
          (error: unknown) => done(error instanceof Error ? error : new Error(errorText(error))),
        );
      },
    });
    opened.onRenewed((secureOptions) => server.setSecureContext(secureOptions));
    server.on('secureConnection', (socket) => app.server.emit('connection', socket));
    server.on('tlsClientError', (error, socket) => {
      log.debug({ error: errorText(error) }, 'a TLS handshake failed');
      socket.destroy();
    });
    return server;
  };
  return (socket) => {
    socket.on('error', () => socket.destroy());
    opening ??= open();
    opening.then(
      (server) => server.emit('connection', socket),
      (error: unknown) => {
        opening = undefined;
        log.error({ error: errorText(error) }, 'there is no certificate; the connection is closed');
        socket.destroy();
      },
    );
  };
}

function listening(server: TcpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
