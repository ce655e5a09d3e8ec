import { everyCode, HOST, isAll, isHexCode, parseWholeNumber, skipBlanks, trimBlanks } from './characters.ts';

export const MAX_PORT = 65_535;
const MAX_HOST_CHARS = 255;

/** Host without brackets, lower case; IPv6 addresses in the text that came. */
export interface HostPort {
  readonly host: string;
  /** Undefined when the text names none: that is not the same as the default port (RFC 3261 19.1.4). */
  readonly port?: number;
}

/**
 * `host`, `host:port`, `[ipv6]`, `[ipv6]:port`; blanks around the colon are legal in a Via (RFC 3261 25.1, COLON).
 * An IPv6 address without brackets is refused (RFC 5118 4.2).
 */
export function parseHostPort(text: string): HostPort | undefined {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  if (text.startsWith('[') && bracket < 0) return undefined;
  const colon = text.indexOf(':', bracket + 1);
  const name = bracket < 0 ? trimBlanks(colon < 0 ? text : text.slice(0, colon)) : text.slice(1, bracket);
  const host = bracket < 0 ? parseHostName(name) : parseIpv6Text(name);
  if (host === undefined) return undefined;
  if (colon < 0) return bracket >= 0 && skipBlanks(text, bracket + 1) < text.length ? undefined : { host };
  if (bracket >= 0 && trimBlanks(text.slice(bracket + 1, colon)).length > 0) return undefined;
  const port = parseWholeNumber(trimBlanks(text.slice(colon + 1)), MAX_PORT);
  return port === undefined ? undefined : { host, port };
}

/** `host:port` with brackets around IPv6. */
export function formatHostPort({ host, port }: HostPort): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? bracketed : `${bracketed}:${port}`;
}

function parseHostName(text: string): string | undefined {
  if (text.length > MAX_HOST_CHARS || !isAll(text, HOST)) return undefined;
  return text.toLowerCase();
}

function parseIpv6Text(text: string): string | undefined {
  // RFC 3261's grammar could write `:::`, RFC 5118 4.10 asks to understand it; it is never written.
  const mended = text.replace(':::', '::').toLowerCase();
  return ipv6Groups(mended) === undefined ? undefined : mended;
}

/** Whether two hosts are the same name or address; IPv6 by its bits, not its spelling (RFC 5954 5.2). No DNS. */
export function sameHost(a: string, b: string): boolean {
  const left = a.toLowerCase();
  const right = b.toLowerCase();
  if (left === right) return true;
  if (!left.includes(':') || !right.includes(':')) return false;
  const groups = ipv6Groups(left)?.join();
  return groups !== undefined && groups === ipv6Groups(right)?.join();
}

/** Four decimal bytes. */
function isIpv4(text: string): boolean {
  return ipv4Bytes(text) !== undefined;
}

/** An IPv6 address without brackets and zone. */
function isIpv6(text: string): boolean {
  return ipv6Groups(text.toLowerCase()) !== undefined;
}

/** An IPv4 or IPv6 address, IPv6 with or without brackets. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text);
}

function ipv4Bytes(text: string): readonly number[] | undefined {
  const bytes: number[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    const dot = text.indexOf('.', at);
    const end = dot < 0 ? text.length : dot;
    const byte = end - at > 3 ? undefined : parseWholeNumber(text.slice(at, end), 255);
    if (byte === undefined || bytes.length === 4) return undefined;
    bytes.push(byte);
    at = end;
  }
  return bytes.length === 4 ? bytes : undefined;
}

const IPV6_GROUPS = 8;
const MAX_IPV6_CHARS = 45;

/** The eight 16-bit groups; undefined when it is no IPv6 address. */
function ipv6Groups(text: string): readonly number[] | undefined {
  if (text.length > MAX_IPV6_CHARS || !text.includes(':')) return undefined;
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = groupsOf(text);
    return groups?.length === IPV6_GROUPS ? groups : undefined;
  }
  const left = groupsOf(text.slice(0, gap));
  const right = groupsOf(text.slice(gap + 2));
  if (left === undefined || right === undefined || left.length + right.length >= IPV6_GROUPS) return undefined;
  return [...left, ...new Array<number>(IPV6_GROUPS - left.length - right.length).fill(0), ...right];
}

function groupsOf(text: string): readonly number[] | undefined {
  if (text.length === 0) return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const bytes = index === parts.length - 1 ? ipv4Bytes(part) : undefined;
    if (bytes !== undefined) {
      const [a, b, c, d] = bytes as [number, number, number, number];
      groups.push(a * 256 + b, c * 256 + d);
    } else if (part.length > 0 && part.length <= 4 && everyCode(part, isHexCode)) groups.push(parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
