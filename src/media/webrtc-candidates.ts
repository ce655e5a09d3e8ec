import { networkInterfaces } from 'node:os';
import { isLoopback } from '../base/ip-address.ts';
import type { IceCandidate } from '../wire/sdp/ice-dtls.ts';
import type { WebRtcLegOptions } from './media-node.ts';

const EVERY_ADDRESS = ['0.0.0.0', '::'];
const LOOPBACK = '127.0.0.1';
/** A machine with more addresses than this offers the first. */
const MAX_ADDRESSES = 8;
// RFC 8445 5.1.2.1: type preference of a host, the first component.
const HOST_PREFERENCE = 126 * 2 ** 24;
const FIRST_LOCAL_PREFERENCE = 0xffff;
const FIRST_COMPONENT = 255;

/** Candidates of a socket that is bound as the leg's options say, as a peer is to see them. */
export function hostCandidates(port: number, leg: WebRtcLegOptions): readonly IceCandidate[] {
  const addresses = [...(leg.advertisedAddresses ?? boundAddresses(leg.localAddress))].slice(0, MAX_ADDRESSES);
  if (leg.loopback === true && EVERY_ADDRESS.includes(leg.localAddress)) addresses.push(LOOPBACK);
  return addresses.map((address, at) => ({
    foundation: String(at + 1),
    priority: HOST_PREFERENCE + (FIRST_LOCAL_PREFERENCE - at) * 2 ** 8 + FIRST_COMPONENT,
    address,
    port,
    type: 'host',
  }));
}

function boundAddresses(localAddress: string): readonly string[] {
  if (!EVERY_ADDRESS.includes(localAddress)) return [localAddress];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ internal, family }) => !internal && (family === 'IPv4' || localAddress === '::'))
    .filter(({ address, scopeid = 0 }) => scopeid === 0 && !address.startsWith('fe80:'))
    .map(({ address }) => address);
}

/** The peer's candidates that are worth a check: its loopback is another machine's unless we share it. */
export function reachable(candidates: readonly IceCandidate[], leg: WebRtcLegOptions): readonly IceCandidate[] {
  const shared = leg.loopback === true || isLoopback(leg.localAddress);
  return candidates.filter(({ address }) => shared || !isLoopback(address));
}
