import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Endpoint } from '../base/network.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { listenFrom, type ListenPlan } from './listening.ts';

const EVERY_ADDRESS = '0.0.0.0';
const LOOPBACK = '127.0.0.1';
const LOOPBACK_V6 = '::1';

/** Opens the HTTP door, bounds its connections, and gives the address at which a client on this machine reaches it. */
export async function listenHttp(
  app: FastifyInstance,
  plan: ListenPlan,
  connections: ConnectionLimit,
): Promise<Endpoint> {
  app.server.prependListener('connection', (socket: Socket) => {
    // What comes out of a TLS handshake was counted before it.
    if (!(socket instanceof TLSSocket)) connections.take(socket);
  });
  await listenFrom(plan, ({ address: host, port }) => app.listen({ host, port }));
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the HTTP door has no address after it was opened');
  if (bound.address === LOOPBACK) await listenOnLoopbackV6(app, bound.port);
  const shown = bound.address === EVERY_ADDRESS || bound.address === '::' ? LOOPBACK : bound.address;
  return { address: shown, port: bound.port };
}

/** Clients that try `localhost` may begin with ::1. A machine without IPv6, or with a taken port there, does without. */
async function listenOnLoopbackV6(app: FastifyInstance, port: number): Promise<void> {
  const second = createServer((socket) => app.server.emit('connection', socket));
  const opened = await new Promise<boolean>((resolve) => {
    second.once('error', () => resolve(false));
    second.listen({ host: LOOPBACK_V6, port, ipv6Only: true }, () => resolve(true));
  });
  if (!opened) return;
  second.on('error', () => undefined);
  app.server.once('close', () => second.close());
}
