/** 4 bytes (IPv4) or 16 (IPv6), in network order. */
export type IpBytes = readonly number[];

/** All addresses that begin with the first `bits` bits of `bytes`. */
export interface IpRange {
  readonly bytes: IpBytes;
  readonly bits: number;
}

const V4_BYTES = 4;
const V6_GROUPS = 8;

/** Parses an address literal in its usual form: no brackets, a zone (`%eth0`) is cut off. Undefined for anything else. */
export function parseIpAddress(text: string): IpBytes | undefined {
  if (!text.includes(':')) return parseV4(text);
  const zone = text.indexOf('%');
  return parseV6(zone < 0 ? text : text.slice(0, zone));
}

/** Parses `10.0.0.0/8`, or a single address; undefined for anything else. */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const bytes = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const all = bytes.length * 8;
  if (slash < 0) return { bytes, bits: all };
  const suffix = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(suffix) || Number(suffix) > all) return undefined;
  return { bytes, bits: Number(suffix) };
}

/** False when the families differ: compare the embedded address (`embeddedV4`) where that matters. */
export function inIpRange(range: IpRange, address: IpBytes): boolean {
  if (range.bytes.length !== address.length) return false;
  for (let bit = 0; bit < range.bits; bit += 8) {
    const mask = range.bits - bit >= 8 ? 0xff : (0xff00 >> (range.bits - bit)) & 0xff;
    const index = bit / 8;
    if (((range.bytes[index] ?? 0) & mask) !== ((address[index] ?? 0) & mask)) return false;
  }
  return true;
}

/** The usual text of an address; IPv6 without shortening of zeros. */
export function formatIpAddress(bytes: IpBytes): string {
  if (bytes.length === V4_BYTES) return bytes.join('.');
  return Array.from({ length: V6_GROUPS }, (_, n) => groupAt(bytes, n).toString(16)).join(':');
}

/**
 * The IPv4 address that an IPv6 address leads to: mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96 and
 * 64:ff9b:1::/48), 6to4 (2002::/16) and Teredo (2001::/32). Undefined for all others.
 */
export function embeddedV4(address: IpBytes): IpBytes | undefined {
  if (address.length === V4_BYTES) return undefined;
  const g = (n: number): number => groupAt(address, n);
  const zeros = (from: number, to: number): boolean => address.slice(from * 2, to * 2).every((byte) => byte === 0);
  const last = address.slice(12);
  if (zeros(0, 5) && g(5) === 0xffff) return last;
  // :: and ::1 are addresses of their own.
  if (zeros(0, 6)) return g(6) === 0 && g(7) <= 1 ? undefined : last;
  if (g(0) === 0x64 && g(1) === 0xff9b && (zeros(2, 6) || g(2) === 1)) return last;
  if (g(0) === 0x2002) return address.slice(2, 6);
  // RFC 4380 4: the client's address is stored with all bits inverted.
  if (g(0) === 0x2001 && g(1) === 0) return last.map((byte) => byte ^ 0xff);
  return undefined;
}

function groupAt(bytes: IpBytes, n: number): number {
  return ((bytes[n * 2] ?? 0) << 8) | (bytes[n * 2 + 1] ?? 0);
}

function parseV4(text: string): IpBytes | undefined {
  const parts = text.split('.');
  if (parts.length !== V4_BYTES) return undefined;
  // A leading zero is octal to some readers and decimal to others.
  if (!parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.map(Number);
}

function parseV6(text: string): IpBytes | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  if (halves.length === 1) {
    const groups = groupsOf(text, true);
    return groups?.length === V6_GROUPS ? bytesOf(groups) : undefined;
  }
  const head = groupsOf(halves[0] ?? '', false);
  const tail = groupsOf(halves[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = V6_GROUPS - head.length - tail.length;
  if (missing < 1) return undefined;
  return bytesOf([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The 16-bit groups of one side of `::`; at the end of the whole address the last two may be an IPv4 address. */
function groupsOf(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const v4 = atEnd && index === parts.length - 1 ? parseV4(part) : undefined;
      if (v4 === undefined) return undefined;
      groups.push(groupAt(v4, 0), groupAt(v4, 1));
    }
  }
  return groups.length > V6_GROUPS ? undefined : groups;
}

function bytesOf(groups: readonly number[]): IpBytes {
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

const V4_LOOPBACK = 127;

/** 127.0.0.0/8, ::1, and the former written as IPv6. */
export function isLoopback(text: string): boolean {
  const bytes = parseIpAddress(text);
  if (bytes === undefined) return false;
  const reached = embeddedV4(bytes) ?? bytes;
  if (reached.length === V4_BYTES) return reached[0] === V4_LOOPBACK;
  return bytes.every((byte, at) => byte === (at === bytes.length - 1 ? 1 : 0));
}
