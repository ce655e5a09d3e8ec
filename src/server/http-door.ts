import type { FastifyInstance } from 'fastify';
import { formatEndpoint, type Endpoint } from '../base/network.ts';
import { CONFIG_DEFAULTS, type Config } from './config.ts';
import { listenFrom } from './listening.ts';

/** Opens the HTTP door and gives the address that a client on this machine uses. */
export async function listenHttp(app: FastifyInstance, at: Endpoint, config: Config): Promise<string> {
  const isDefault = config.http === CONFIG_DEFAULTS.http;
  const address = config.lan && isDefault ? '0.0.0.0' : at.address;
  await listenFrom({ key: 'http', flag: '--http', at: { ...at, address }, isDefault }, ({ address: host, port }) =>
    app.listen({ host, port }),
  );
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the HTTP door has no address after it was opened');
  const shown = bound.address === '0.0.0.0' || bound.address === '::' ? '127.0.0.1' : bound.address;
  return `http://${formatEndpoint({ address: shown, port: bound.port })}`;
}
