import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './api-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Pages of every site may post here: nothing is changed by it. */
    anyPage?: boolean;
  }
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser that was once given the credentials sends them along with forms of any page, without asking. Such requests
 * change nothing here: a page elsewhere cannot place calls or stop the server. Reading is safe, since no page of another
 * origin is shown an answer. Applications and the SDK send none of these headers.
 */
export function refuseForeignPages(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ method, headers, routeOptions }) => {
    if (SAFE_METHODS.has(method) || routeOptions.config.anyPage === true || !isFromForeignPage(headers)) return;
    throw new ApiError({ status: 403, code: 20403, message: 'Pages of other sites may not use this server' });
  });
}

/** By what a page cannot forge: Sec-Fetch-Site where the browser sends it, else Origin (RFC 6454 7.3). */
function isFromForeignPage(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  // A page on another port of this machine is `same-site`, and as foreign as any.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  return origin !== undefined && URL.parse(origin)?.host !== host?.toLowerCase();
}
