import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Network } from '../base/network.ts';
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
}

/** Signalling on a host of the virtual network, where nobody has to prove who he is. */
export async function openSipSide({ log: logger, address, ...options }: SipSideOptions): Promise<UserAgent> {
  return openUserAgent({
    ...options,
    logger,
    directory: new MemoryDirectory({ clock: options.clock, logger }),
    // Every call names the address that it goes to.
    resolver: { srv: async () => [], addresses: async () => [] },
    admission: {
      credential: async () => undefined,
      realm: async () => DOMAIN,
      trustedPeer: async () => ({ kind: 'anonymous' }),
      mayRegister: () => false,
    },
    listen: { address, port: SIP_PORT },
  });
}
