import type { X509Certificate } from 'node:crypto';
import { BlockList, isIP } from 'node:net';

/** Names under which a place may have certificates: who trusts its authority trusts it for these alone. */
export const PERMITTED_SUFFIXES = [
  'localhost',
  'twilio.com',
  'local',
  'lan',
  'home',
  'internal',
  'home.arpa',
  'test',
  'tandem',
] as const;

/** Loopback, private, shared and link-local networks (RFC 1918, 6598, 3927, 4193, 4291). */
const PERMITTED_NETWORKS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
] as const;

const permitted = new BlockList();
for (const network of PERMITTED_NETWORKS) {
  const [address = '', bits] = network.split('/');
  permitted.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
}

/** May a certificate for this name or address count without having been named when the authority was made? */
export function isPermitted(name: string): boolean {
  const family = isIP(name);
  if (family !== 0) return permitted.check(name, family === 4 ? 'ipv4' : 'ipv6');
  return PERMITTED_SUFFIXES.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

/**
 * May a certificate for this name or address be signed by this authority? One that names anything else is refused by its
 * clients as a whole (RFC 5280 6.1.4 g), whatever name they came by.
 */
export function permits(authority: X509Certificate, name: string): boolean {
  if (isPermitted(name)) return true;
  const family = isIP(name);
  const labels = name.toLowerCase().split('.');
  const bases =
    family === 0
      ? labels.map((_, index) => dnsBase(labels.slice(index).join('.')))
      : [addressBase(`${name}/${family === 4 ? 32 : 128}`)];
  return bases.some((base) => authority.raw.includes(base));
}

/**
 * The value of a name constraints extension (RFC 5280 4.2.1.10) that permits the private names and networks and what is
 * named besides:
 *
 *     NameConstraints ::= SEQUENCE { permittedSubtrees [0] SEQUENCE OF SEQUENCE { base GeneralName } }
 *     GeneralName     ::= CHOICE { dNSName [2] IA5String, iPAddress [7] OCTET STRING (address and mask) … }
 */
export function nameConstraints(also: readonly string[]): Uint8Array<ArrayBuffer> {
  const names = [...PERMITTED_SUFFIXES, ...also.filter((each) => isIP(each) === 0)];
  const single = also.flatMap((each) => (isIP(each) === 0 ? [] : [`${each}/${isIP(each) === 4 ? 32 : 128}`]));
  const bases = [...names.map(dnsBase), ...[...PERMITTED_NETWORKS, ...single].map(addressBase)];
  return tagged(SEQUENCE, tagged(PERMITTED_SUBTREES, joined(bases.map((base) => tagged(SEQUENCE, base)))));
}

function dnsBase(name: string): Uint8Array {
  return tagged(DNS_NAME, new TextEncoder().encode(name));
}

function addressBase(network: string): Uint8Array {
  return tagged(IP_ADDRESS, networkOctets(network));
}

const SEQUENCE = 0x30;
const PERMITTED_SUBTREES = 0xa0;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** Tag, length, value (X.690 8.1); the length in as few octets as it takes. */
function tagged(tag: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = value.length;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return joined([Uint8Array.of(tag, ...size), value]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function networkOctets(network: string): Uint8Array {
  const [address = '', bits] = network.split('/');
  const octets = address.includes(':') ? ipv6Octets(address) : address.split('.').map(Number);
  const mask = octets.map((_, index) => (0xff00 >> Math.min(8, Math.max(0, Number(bits) - index * 8))) & 0xff);
  return Uint8Array.from([...octets, ...mask]);
}

function ipv6Octets(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (text: string | undefined): number[] =>
    (text ?? '') === '' ? [] : (text ?? '').split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}
