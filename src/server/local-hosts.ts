import { hostname, networkInterfaces } from 'node:os';
import { BlockList, isIP } from 'node:net';

/** Host names and addresses under which this machine is reached. */
export function isLocalHost(host: string): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost' || name === hostname().toLowerCase()) return true;
  if (isIP(name) === 0) return false;
  if (name.startsWith('127.') || name === '::1') return true;
  return Object.values(networkInterfaces()).some((each) => each?.some((address) => address.address === name));
}

const LOCAL_NETWORKS = new BlockList();
// RFC 1918, RFC 4193 and loopback.
LOCAL_NETWORKS.addSubnet('10.0.0.0', 8);
LOCAL_NETWORKS.addSubnet('172.16.0.0', 12);
LOCAL_NETWORKS.addSubnet('192.168.0.0', 16);
LOCAL_NETWORKS.addSubnet('127.0.0.0', 8);
LOCAL_NETWORKS.addSubnet('fc00::', 7, 'ipv6');
LOCAL_NETWORKS.addAddress('::1', 'ipv6');

/** An address literal of this machine or the local network. */
export function isLocalNetwork(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && LOCAL_NETWORKS.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
