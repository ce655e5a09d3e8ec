import { seededRandom } from '../base/random.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Network } from '../base/network.ts';
import { MemoryDirectory } from '../directory/memory.ts';
import { openUserAgent } from '../sip/open-user-agent.ts';
import type { CallerIdentity, UserAgent } from '../sip/user-agent.ts';

export const SIP_PORT = 5060;

/** A SIP side on a host of the virtual network, where everybody trusts everybody. */
export async function openSipSide(options: {
  readonly clock: Clock;
  readonly network: Network;
  readonly address: string;
  readonly seed: number;
  readonly log: Logger;
  readonly peer: CallerIdentity;
  readonly name: string;
}): Promise<UserAgent> {
  const { clock, network, address, log: logger, name } = options;
  return openUserAgent({
    clock,
    network,
    logger,
    name,
    random: seededRandom(options.seed),
    directory: new MemoryDirectory({ clock, logger }),
    // Every call names the address that it goes to.
    resolver: { srv: async () => [], addresses: async () => [] },
    admission: {
      credential: async () => undefined,
      realm: async () => 'home.tandem',
      trustedPeer: async () => options.peer,
      mayRegister: () => false,
    },
    listen: { address, port: SIP_PORT },
  });
}
