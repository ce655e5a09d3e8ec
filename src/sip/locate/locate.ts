import type { Random } from '../../base/random.ts';
import { quoted } from '../../base/parsed.ts';
import { errorText } from '../../base/errors.ts';
import { isIpAddress } from '../../wire/sip/host.ts';
import { parameter } from '../../wire/sip/parameters.ts';
import { parseSipUri, type SipUri } from '../../wire/sip/uri.ts';
import { SipError } from '../sip-error.ts';
import type { Hop } from '../transport/hop.ts';
import type { SipTransport } from '../user-agent.ts';
import type { Resolver } from './resolver.ts';
import { orderSrv } from './srv-order.ts';

const DEFAULT_PORT = 5060;
/** Targets tried for one request, however many records a name has. */
const MAX_HOPS = 8;

/**
 * Where a request for a URI goes, best first (RFC 3263 4, without NAPTR): an address literal or a named port as they
 * stand, else SRV, else the address records. Rejects with SipError `unreachable`, or `bad-argument` for other schemes.
 */
export async function locate(uriText: string, resolver: Resolver, random: Random): Promise<readonly Hop[]> {
  const uri = parseSipUri(uriText);
  if (uri === undefined || uri.scheme === 'tel') {
    throw new SipError('bad-argument', `cannot send to ${quoted(uriText)}: want a sip: URI with a host`);
  }
  if (uri.scheme === 'sips')
    throw new SipError('unreachable', `${quoted(uriText)} wants TLS, which is not spoken here`);
  const transport = chosenTransport(uri);
  const host = parameter(uri.parameters, 'maddr') ?? uri.host;
  const direct = uri.port !== undefined || isIpAddress(host);
  const hops = direct ? [] : await bySrv(host, transport, resolver, random);
  if (hops.length > 0) return hops.slice(0, MAX_HOPS);
  const addresses = await resolve(host, resolver);
  if (addresses.length === 0) throw new SipError('unreachable', `no address found for ${quoted(host)}`);
  const port = uri.port ?? DEFAULT_PORT;
  return addresses.slice(0, MAX_HOPS).map((address) => ({ transport: transport ?? 'udp', remote: { address, port } }));
}

function chosenTransport(uri: SipUri): SipTransport | undefined {
  const named = parameter(uri.parameters, 'transport')?.toLowerCase();
  if (named === undefined || named === 'udp' || named === 'tcp') return named;
  throw new SipError('unreachable', `transport ${quoted(named)} is not spoken here: want udp or tcp`);
}

async function bySrv(
  host: string,
  transport: SipTransport | undefined,
  resolver: Resolver,
  random: Random,
): Promise<readonly Hop[]> {
  const hops: Hop[] = [];
  for (const each of transport === undefined ? (['udp', 'tcp'] as const) : [transport]) {
    const records = await resolver.srv(`_sip._${each}.${host}`).catch(() => []);
    for (const { target, port } of orderSrv(records, random)) {
      // RFC 2782: a target of "." says that there is no such service.
      if (target === '.' || target === '' || hops.length >= MAX_HOPS) continue;
      for (const address of await resolve(target, resolver)) hops.push({ transport: each, remote: { address, port } });
    }
  }
  return hops;
}

async function resolve(host: string, resolver: Resolver): Promise<readonly string[]> {
  if (isIpAddress(host)) return [host];
  try {
    return await resolver.addresses(host);
  } catch (cause) {
    throw new SipError('unreachable', `the name ${quoted(host)} cannot be resolved: ${errorText(cause)}`, { cause });
  }
}
