import type { Trunk } from '../comms/place-model.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import { parameter } from '../wire/sip/parameters.ts';
import { parseSipUri } from '../wire/sip/uri.ts';

export interface RedirectionPorts {
  /** Host names and addresses under which this server is reached. */
  isLocalHost(host: string): boolean;
  /** May a call leave toward this host without a trunk? */
  mayDialHost(host: string): boolean;
  trunks(): Promise<readonly Trunk[]>;
  /** Addresses of a trunk's host now. */
  trunkAddresses(host: string): readonly string[];
}

/**
 * The user agent, with redirections held to the hosts that may be called directly. A trunk may redirect to itself; nobody
 * else is led to a trunk: who answers a call with "try there" would else telephone at the operator's cost, past the
 * allowed prefixes and the number of calls.
 */
export function withAllowedRedirections(userAgent: UserAgent, ports: RedirectionPorts): UserAgent {
  return {
    ...userAgent,
    placeCall: (call, handlers) =>
      userAgent.placeCall({ ...call, mayFollow: (uri) => mayFollow(uri, call.target.uri, ports) }, handlers),
  };
}

async function mayFollow(uri: string, from: string, ports: RedirectionPorts): Promise<boolean> {
  const [host, origin] = [destinationOf(uri), destinationOf(from)];
  if (host === undefined) return false;
  const trunk = (await ports.trunks()).map(({ uri: at }) => destinationOf(at)).find((at) => isAt(host, at, ports));
  if (trunk !== undefined) return origin !== undefined && isAt(origin, trunk, ports);
  return ports.isLocalHost(host) || ports.mayDialHost(host);
}

function isAt(host: string, trunkHost: string | undefined, ports: RedirectionPorts): boolean {
  return trunkHost !== undefined && (host === trunkHost || ports.trunkAddresses(trunkHost).includes(host));
}

/** RFC 3261 19.1.1: maddr is where a request really goes. */
function destinationOf(uri: string): string | undefined {
  const parsed = parseSipUri(uri);
  return parsed === undefined ? undefined : (parameter(parsed.parameters, 'maddr') ?? parsed.host).toLowerCase();
}
