import { isLoopback } from '../base/ip-address.ts';
import type { IceCandidate } from '../wire/sdp/ice-dtls.ts';
import type { WebRtcLegOptions } from './media-node.ts';

const EVERY_ADDRESS = ['0.0.0.0', '::'];
const LOOPBACK = '127.0.0.1';

/** Our candidates as the peer is to see them. */
export function advertised(gathered: readonly IceCandidate[], leg: WebRtcLegOptions): readonly IceCandidate[] {
  const { advertisedAddresses, loopback = false, localAddress } = leg;
  const [host] = gathered.filter(({ type }) => type === 'host');
  if (host === undefined) return gathered;
  const extra = loopback && EVERY_ADDRESS.includes(localAddress) ? [LOOPBACK] : [];
  if (advertisedAddresses === undefined)
    return [...gathered, ...extra.map((address, at) => another(host, address, at))];
  const others = gathered.filter(({ type }) => type !== 'host');
  return [...[...advertisedAddresses, ...extra].map((address, at) => another(host, address, at)), ...others];
}

/** RFC 8445 5.1.2.1: no two candidates of one priority; those after the first are less preferred. */
function another(host: IceCandidate, address: string, at: number): IceCandidate {
  const priority = Math.max(1, host.priority - (at + 1) * LOCAL_PREFERENCE_STEP);
  return { ...host, foundation: `${host.foundation}${at + 1}`, address, priority };
}
const LOCAL_PREFERENCE_STEP = 0x100;

/** The peer's candidates that are worth a check: its loopback is another machine's unless we share it. */
export function reachable(candidates: readonly IceCandidate[], leg: WebRtcLegOptions): readonly IceCandidate[] {
  const shared = leg.loopback === true || isLoopback(leg.localAddress);
  return candidates.filter(({ address }) => shared || !isLoopback(address));
}
