import { silentLogger } from '../../base/logger.ts';
import { MemoryDirectory } from '../../directory/memory.ts';
import { nodeResolver } from '../../sip/locate/node-resolver.ts';
import { openUserAgent } from '../../sip/open-user-agent.ts';
import type { Admission, UserAgent } from '../../sip/user-agent.ts';
import type { LoadContext } from './scenario.ts';
import { networkFrom } from './sources.ts';

const MAX_CALLS = 100_000;
/** It answers whatever comes: only the server that is measured knows its port. */
const ANYBODY: Admission = {
  credential: () => Promise.resolve(undefined),
  realm: () => Promise.resolve('load'),
  trustedPeer: () => Promise.resolve({ kind: 'anonymous' }),
  mayRegister: () => false,
};
const UNLIMITED = { burst: MAX_CALLS, perSecond: MAX_CALLS };

/** A user agent at one source address; closed with the run. */
export async function openPhone(address: string, { clock, random, cleanUp }: LoadContext): Promise<UserAgent> {
  const phone = await openUserAgent({
    clock,
    random,
    network: networkFrom(address),
    logger: silentLogger,
    directory: new MemoryDirectory({ clock, logger: silentLogger }),
    resolver: nodeResolver,
    admission: ANYBODY,
    listen: { address, port: 0 },
    name: 'tandem load',
    limits: { maxDialogs: MAX_CALLS, callRate: UNLIMITED },
  });
  cleanUp.add('a socket', () => phone.close());
  return phone;
}
