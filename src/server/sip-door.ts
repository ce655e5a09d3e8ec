import type { Endpoint } from '../base/network.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import { CONFIG_DEFAULTS, type Config } from './config.ts';
import { parseListenAddress } from './listen-address.ts';
import { listenFrom } from './listening.ts';

const EVERY_ADDRESS = '0.0.0.0';

/** Opens SIP where the configuration says: loopback, or with `lan` every address. */
export function openSipDoor(config: Config, open: (at: Endpoint) => Promise<UserAgent>): Promise<UserAgent> {
  const at = parseListenAddress('sip', config.sip);
  const isDefault = config.sip === CONFIG_DEFAULTS.sip;
  const address = config.lan && isDefault ? EVERY_ADDRESS : at.address;
  return listenFrom({ key: 'sip', flag: '--sip', at: { ...at, address }, isDefault }, open);
}
