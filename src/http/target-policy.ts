import { embeddedV4, inIpRange, parseIpAddress, parseIpRange, type IpBytes, type IpRange } from '../base/ip-address.ts';
import { quoted } from '../base/parsed.ts';

/** Where apps live during development, and the places of a network without internet. */
export const DEVELOPMENT_TARGETS: readonly string[] = ['loopback', 'lan'];

const LOOPBACK = ranges('127.0.0.0/8', '::1');
const LAN = ranges('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7');

// Places that answer a forged request with secrets (the metadata services of cloud hosts), or that are no host at all.
const NEVER = ranges(
  '0.0.0.0/8',
  '169.254.0.0/16',
  '100.100.100.200',
  '192.0.0.192',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254',
  'fd20:ce::254',
);

/**
 * Which addresses outgoing requests may reach. Entries: `loopback`, `lan` (private ranges), `any`, an address or range
 * (`10.0.0.0/8`), a host name (`app.example.org`) or its subdomains (`*.example.org`). Metadata services, link-local,
 * multicast and unspecified addresses are never reached, whatever the entries say.
 */
export class TargetPolicy {
  readonly entries: readonly string[];
  readonly #ranges: readonly IpRange[];
  readonly #hosts: readonly string[];
  readonly #any: boolean;

  /** Throws RangeError on an entry that has no meaning. */
  constructor(entries: readonly string[]) {
    this.entries = entries;
    const allowed: IpRange[] = [];
    const hosts: string[] = [];
    for (const entry of entries.map((one) => one.trim().toLowerCase())) {
      const range = parseIpRange(entry);
      if (entry === 'loopback') allowed.push(...LOOPBACK);
      else if (entry === 'lan') allowed.push(...LAN);
      else if (range !== undefined) allowed.push(range);
      else if (isHostPattern(entry)) hosts.push(entry);
      else if (entry !== 'any')
        throw new RangeError(`target ${quoted(entry)}: want loopback, lan, any, an address, a range or a host name`);
    }
    this.#ranges = allowed;
    this.#hosts = hosts;
    this.#any = entries.some((entry) => entry.trim().toLowerCase() === 'any');
  }

  /** Why `host`, which is or resolved to `address`, must not be reached; undefined when it may. */
  refusal(host: string, address: string): string | undefined {
    const bytes = parseIpAddress(address);
    if (bytes === undefined) return 'it has no usable address';
    // An IPv6 address that leads to an IPv4 one is as good or as bad as that.
    const reached = embeddedV4(bytes) ?? bytes;
    if (within(NEVER, bytes) || within(NEVER, reached))
      return 'metadata, link-local and multicast addresses are never reached';
    if (this.#any || within(this.#ranges, reached) || this.#names(host)) return undefined;
    return `only ${this.entries.join(', ') || 'nothing'} may be reached: add it to the allowed targets`;
  }

  #names(host: string): boolean {
    const name = host.toLowerCase().replace(/\.$/, '');
    return this.#hosts.some((one) => (one.startsWith('*.') ? name.endsWith(one.slice(1)) : name === one));
  }
}

function within(list: readonly IpRange[], address: IpBytes): boolean {
  return list.some((range) => inIpRange(range, address));
}

// A last label of digits only would be an address in a form that readers disagree about.
function isHostPattern(entry: string): boolean {
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  return (
    entry !== 'any' && new RegExp(`^(?:\\*\\.)?(?:${label}\\.)*${label}$`).test(entry) && !/(?:^|\.)\d+$/.test(entry)
  );
}

function ranges(...texts: readonly string[]): readonly IpRange[] {
  return texts.map((text) => {
    const range = parseIpRange(text);
    if (range === undefined) throw new RangeError(`range ${text}`);
    return range;
  });
}
