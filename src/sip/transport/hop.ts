import { formatEndpoint, type Endpoint } from '../../base/network.ts';
import type { SipTransport } from '../user-agent.ts';

/** The next place a message goes to. */
export interface Hop {
  readonly transport: SipTransport;
  readonly remote: Endpoint;
  /** Names one connection: the message goes over it or nowhere (RFC 5626 flow). */
  readonly connectionId?: string;
}

/** The way a message came: answers take it back. */
export interface Flow extends Hop {
  /** Our side, as written into Via and Contact toward that peer. */
  readonly local: Endpoint;
}

export function formatHop(hop: Hop): string {
  return `${hop.transport}:${formatEndpoint(hop.remote)}`;
}

/** Streams deliver in order, or fail aloud. A later TLS or WebSocket transport answers here too. */
export function isReliable(transport: SipTransport): boolean {
  return transport !== 'udp';
}

/** The name in a Via (RFC 3261 20.42). */
export function viaName(transport: SipTransport): string {
  return transport.toUpperCase();
}
