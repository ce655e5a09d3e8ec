import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../../base/ip-address.ts';

/** What is known of a request before anything of it is believed. */
export interface Visit {
  readonly remoteAddress: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
}

/** A proxy that stands on this machine says for whom it asks: then loopback means nothing. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

/**
 * True for a person at this machine: the connection comes from loopback, and the browser was led here by a name that only
 * this machine has. A page of another site can make its own name resolve to 127.0.0.1 (DNS rebinding); it cannot make the
 * browser send another Host.
 */
export function isFromThisMachine({ remoteAddress, headers, httpVersion }: Visit): boolean {
  // Browsers speak 1.1 at least; a proxy with nothing configured speaks 1.0, names 127.0.0.1 and says for whom it asks nowhere.
  if (httpVersion === '1.0') return false;
  if (!isLoopbackAddress(remoteAddress)) return false;
  if (PROXY_HEADERS.some((name) => headers[name] !== undefined)) return false;
  return isLoopbackHost(headers.host);
}

/** `localhost`, `127.0.0.1` or `[::1]`, with any port. */
export function isLoopbackHost(host: string | undefined): boolean {
  // RFC 9110 7.2: a Host has no user, path or query; one that has is no browser's.
  const name = /^[\w.:[\]-]+$/.test(host ?? '') ? URL.parse(`http://${host}`)?.hostname : undefined;
  if (name === undefined) return false;
  return name === 'localhost' || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/**
 * True unless another site's page asks: by what a page cannot forge (Sec-Fetch-Site where the browser sends it, else
 * Origin). Reading is refused too, since what is read here is worth having.
 */
export function isFromOwnPage(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin, host } = headers;
  return origin === undefined || URL.parse(origin)?.host === host?.toLowerCase();
}

function isLoopbackAddress(address: string | undefined): boolean {
  return isLoopback((address ?? '').replace(/^::ffff:(?=\d+\.)/i, ''));
}
