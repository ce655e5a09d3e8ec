import { hostname, networkInterfaces } from 'node:os';
import { BlockList, isIP } from 'node:net';
import type { Endpoint } from '../base/network.ts';

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

/** Where others reach a door: its own address, or for one that is open everywhere those of the network, best first. */
export function reachableAt(bound: Endpoint): readonly Endpoint[] {
  if (bound.address !== '0.0.0.0' && bound.address !== '::') return [bound];
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outside = addresses.filter((each) => each.family === 'IPv4' && !each.internal).map((each) => each.address);
  return [...outside, '127.0.0.1'].map((address) => ({ address, port: bound.port }));
}
