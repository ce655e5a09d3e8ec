import { isIP } from 'node:net';
import type { Endpoint } from '../base/network.ts';
import { quoted } from '../base/parsed.ts';
import { ConfigError } from './load-config.ts';

/** `HOST:PORT`, `[::1]:PORT`, `:PORT` (loopback) or `PORT`; port 0 means any free one. */
export function parseListenAddress(key: string, text: string): Endpoint {
  const match = /^(?:(\[[0-9a-f:.]+\]|[^:\s]*):)?(\d{1,5})$/i.exec(text.trim());
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new ConfigError(
      `${key}: got ${quoted(text)}; want HOST:PORT, e.g. 127.0.0.1:3600, or HOST:0 for any free port`,
    );
  }
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  const address = host === '' || host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(address) === 0) {
    throw new ConfigError(
      `${key}: got the host ${quoted(host)}; want an address of this machine, e.g. 127.0.0.1 or 0.0.0.0`,
    );
  }
  return { address, port };
}

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** RTP and RTCP take ports in pairs; a call needs one pair a leg. */
const MIN_RTP_PORTS = 4;

/** `LOW-HIGH`. */
export function parsePortRange(key: string, text: string): PortRange {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text.trim());
  const [low, high] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || low < 1024 || high > 65_535 || high - low + 1 < MIN_RTP_PORTS) {
    throw new ConfigError(
      `${key}: got ${quoted(text)}; want LOW-HIGH within 1024-65535 and at least ${MIN_RTP_PORTS} ports, e.g. 20000-29999`,
    );
  }
  return { low, high };
}
