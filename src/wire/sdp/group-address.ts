import { embeddedV4, parseIpAddress } from '../../base/ip-address.ts';

/** Multicast and broadcast (RFC 5771, RFC 4291 2.7): a call would pour its sound over a whole network. */
export function isGroupAddress(address: string): boolean {
  const bytes = parseIpAddress(address.replace(/^\[|\]$/g, '')) ?? [];
  const reached = embeddedV4(bytes) ?? bytes;
  return bytes[0] === 0xff || (reached.length === IPV4_BYTES && (reached[0] ?? 0) >= FIRST_GROUP_BYTE);
}
const IPV4_BYTES = 4;
const FIRST_GROUP_BYTE = 224;
