import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Endpoint, Network } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import { MemoryDirectory } from '../directory/memory.ts';
import { openUserAgent } from '../sip/open-user-agent.ts';
import type { UserAgent } from '../sip/user-agent.ts';

export const SIP_PORT = 5060;
const DOMAIN = 'home.tandem';

export interface SipSideOptions {
  readonly clock: Clock;
  readonly network: Network;
  readonly address: string;
  readonly random: Random;
  readonly log: Logger;
  /** Default SIP_PORT; 0: any free one. */
  readonly port?: number;
  /** Who may call without proof; default: everybody. */
  readonly isTrusted?: (source: Endpoint) => boolean;
}

/** Signalling of phones, on a host of the virtual network or before the door of a running server. */
export async function openSipSide(side: SipSideOptions): Promise<UserAgent> {
  const { log: logger, address, port = SIP_PORT, isTrusted = () => true, ...options } = side;
  return openUserAgent({
    ...options,
    logger,
    directory: new MemoryDirectory({ clock: options.clock, logger }),
    // Every call names the address that it goes to.
    resolver: { srv: async () => [], addresses: async () => [] },
    admission: {
      credential: async () => undefined,
      realm: async () => DOMAIN,
      trustedPeer: async (source) => (isTrusted(source) ? { kind: 'anonymous' } : undefined),
      mayRegister: () => false,
    },
    listen: { address, port },
  });
}
