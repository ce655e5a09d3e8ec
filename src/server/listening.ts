import type { Endpoint } from '../base/network.ts';
import { formatEndpoint } from '../base/network.ts';
import { DEFAULT_PORTS, type Config } from './config.ts';
import { parseListenAddress } from './listen-address.ts';
import { ConfigError } from './load-config.ts';

const EVERY_ADDRESS = '0.0.0.0';
const LOOPBACK = '127.0.0.1';

/** A default port that is taken: so many following ones are tried. */
const MAX_PORTS_TRIED = 20;

export interface ListenPlan {
  readonly key: string;
  readonly flag: string;
  readonly at: Endpoint;
  /** True when the operator named no port: the next free one may be taken. */
  readonly isDefault: boolean;
}

/** Where a door is to be: as named, else at its default port, on loopback or with `lan` on every address. */
export function listenPlan(config: Config, key: keyof typeof DEFAULT_PORTS): ListenPlan {
  const named = config[key];
  const byDefault = { address: config.lan ? EVERY_ADDRESS : LOOPBACK, port: DEFAULT_PORTS[key] };
  const at = named === undefined ? byDefault : parseListenAddress(key, named);
  return { key, flag: `--${key}`, at, isDefault: named === undefined };
}

/** What a person should know when a default port was taken. */
export function movedNotice({ key, flag, at, isDefault }: ListenPlan, port: number): string | undefined {
  if (!isDefault || port === at.port) return undefined;
  return `port ${at.port} is taken: ${key.toUpperCase()} is at ${port}; name a port with ${flag} HOST:PORT`;
}

/** Opens a door. A default that is taken moves on to the next free port; a named one is an error with a way out. */
export async function listenFrom<Door>(plan: ListenPlan, open: (at: Endpoint) => Promise<Door>): Promise<Door> {
  const { at, isDefault } = plan;
  for (let tried = 0; ; tried += 1) {
    const here = { ...at, port: at.port === 0 ? 0 : at.port + tried };
    try {
      return await open(here);
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE' && isDefault && at.port !== 0 && tried < MAX_PORTS_TRIED) continue;
      throw refusal(plan, here, error);
    }
  }
}

function refusal({ key, flag }: ListenPlan, at: Endpoint, error: unknown): unknown {
  const where = formatEndpoint(at);
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new ConfigError(
        `${key}: ${where} is taken by another program; name another with ${flag} HOST:PORT, or port 0 for any free one`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
      return new ConfigError(
        `${key}: ${at.address} is no address of this machine; use one of its own, or 0.0.0.0 for all`,
        { cause: error },
      );
    case 'EACCES':
      return new ConfigError(`${key}: this user may not open port ${at.port}; choose one above 1023`, { cause: error });
    default:
      return error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
