import { hash } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { MemoryDirectory } from '../../directory/memory.ts';
import { atEnd, type Scope } from '../../testkit/scope.ts';
import { nodeResolver } from '../locate/node-resolver.ts';
import { nodeNetwork } from '../node-network.ts';
import { openUserAgent, type UserAgentOptions } from '../open-user-agent.ts';
import type { Admission, StoredCredential, UserAgent } from '../user-agent.ts';

export const REALM = 'home.test';

/** Knows every user; the password is `secret` unless said otherwise. */
export function openAdmission(passwordOf: (username: string) => string | undefined = () => 'secret'): Admission {
  return {
    credential: async (realm, username) => {
      const password = passwordOf(username);
      return password === undefined ? undefined : storedCredential(realm, username, password);
    },
    realm: async () => REALM,
    trustedPeer: async () => undefined,
    mayRegister: (credential, aor) => aor === `sip:${credential.username}@${credential.realm}`,
  };
}

export function storedCredential(realm: string, username: string, password: string): StoredCredential {
  const secret = `${username}:${realm}:${password}`;
  const ha1Md5 = hash('md5', secret, 'hex');
  return { username, realm, ha1Md5, ha1Sha256: hash('sha256', secret, 'hex'), accountSid: 'AC1' };
}

/** A user agent on this machine's loopback, closed at the end of the test. */
export async function openAgent(scope: Scope, options: Partial<UserAgentOptions> = {}): Promise<UserAgent> {
  const directory = new MemoryDirectory({ clock: systemClock, logger: silentLogger });
  atEnd(scope, () => directory.close());
  const agent = await openUserAgent({
    clock: systemClock,
    random: systemRandom,
    network: nodeNetwork,
    logger: silentLogger,
    directory,
    resolver: nodeResolver,
    admission: openAdmission(),
    listen: { address: '127.0.0.1', port: 0 },
    ...options,
  });
  atEnd(scope, () => agent.close());
  return agent;
}
