import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { formatEndpoint, type Endpoint } from '../base/network.ts';
import { CONFIG_DEFAULTS, type Config } from './config.ts';
import { listenFrom } from './listening.ts';

const EVERY_ADDRESS = '0.0.0.0';
const LOOPBACK = '127.0.0.1';
const LOOPBACK_V6 = '::1';

/** Opens the HTTP door and gives the address that a client on this machine uses. */
export async function listenHttp(app: FastifyInstance, at: Endpoint, config: Config): Promise<string> {
  const isDefault = config.http === CONFIG_DEFAULTS.http;
  const address = config.lan && isDefault ? EVERY_ADDRESS : at.address;
  await listenFrom({ key: 'http', flag: '--http', at: { ...at, address }, isDefault }, ({ address: host, port }) =>
    app.listen({ host, port }),
  );
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the HTTP door has no address after it was opened');
  if (bound.address === LOOPBACK) await listenOnLoopbackV6(app, bound.port);
  const shown = bound.address === EVERY_ADDRESS || bound.address === '::' ? LOOPBACK : bound.address;
  return `http://${formatEndpoint({ address: shown, port: bound.port })}`;
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
