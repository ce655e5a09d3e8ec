import type { FastifyInstance } from 'fastify';
import { formatEndpoint, type Endpoint } from '../base/network.ts';
import { CONFIG_DEFAULTS, type Config } from './config.ts';
import { listenFrom } from './listening.ts';

/** Opens the HTTP door and gives the address that a client on this machine uses. */
export async function listenHttp(app: FastifyInstance, at: Endpoint, config: Config): Promise<string> {
  const isDefault = config.http === CONFIG_DEFAULTS.http;
  const address = config.lan && isDefault ? '0.0.0.0' : at.address;
  await listenFrom({ key: 'http', flag: '--http', at: { ...at, address }, isDefault }, ({ address: host, port }) =>
    // The framework opens `localhost` on 127.0.0.1 and ::1: clients try either.
    app.listen({ host: host === '127.0.0.1' ? 'localhost' : host, port }),
  );
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the HTTP door has no address after it was opened');
  const everywhere = ['0.0.0.0', '::', '::1'].includes(bound.address);
  const shown = everywhere ? '127.0.0.1' : bound.address;
  return `http://${formatEndpoint({ address: shown, port: bound.port })}`;
}
