import type { Endpoint } from '../../base/network.ts';
import { isIpAddress } from '../../wire/sip/host.ts';
import { parameter } from '../../wire/sip/parameters.ts';
import type { Via } from '../../wire/sip/via.ts';
import type { Flow, Hop } from './hop.ts';

const DEFAULT_PORT = 5060;
const MAX_PORT = 65_535;

/** Where the answer to a request over datagrams goes (RFC 3261 18.2.2, RFC 3581 4). */
export function datagramReplyTo(via: Via, flow: Flow): Endpoint {
  const maddr = parameter(via.parameters, 'maddr');
  if (maddr !== undefined && isIpAddress(maddr)) return { address: maddr, port: via.port ?? DEFAULT_PORT };
  // A filled rport is the port that the request came from; without one the answer goes to the port of sent-by.
  const rport = parameter(via.parameters, 'rport');
  const port = rport === undefined ? (via.port ?? DEFAULT_PORT) : flow.remote.port;
  return { address: flow.remote.address, port: port > 0 && port <= MAX_PORT ? port : flow.remote.port };
}

/** Where the answer to a request over a stream goes when its connection is lost (18.2.2): a new one to sent-by's port. */
export function streamReplyTo(via: Via, flow: Flow): Hop {
  const port = via.port !== undefined && via.port > 0 ? via.port : DEFAULT_PORT;
  return { transport: flow.transport, remote: { address: flow.remote.address, port } };
}
