import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { holding, systemClock, type Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { parseIpAddress } from '../base/ip-address.ts';
import { quoted } from '../base/parsed.ts';
import { ACCEPTED_ENCODINGS, decodeBody } from './decode-body.ts';
import { exchange, type ExchangeResponse } from './exchange.ts';
import { HttpError } from './http-error.ts';
import type { HttpRequest, HttpResponse, OutgoingHttp } from './outgoing.ts';
import { parseRequestUrl, type RequestUrl } from './request-url.ts';
import type { TargetPolicy } from './target-policy.ts';

export const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;
export const DEFAULT_READ_TIMEOUT_MS = 15_000;
export const DEFAULT_TOTAL_TIMEOUT_MS = 15_000;
export const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
export const DEFAULT_MAX_REDIRECTS = 10;

// A connection attempt is given up at this age even when nobody waits for it any more.
const MAX_CONNECT_MS = 10_000;
const MAX_CONNECTIONS_PER_ORIGIN = 256;
// Servers without a Keep-Alive header close idle connections at moments of their own: an idle one is not trusted for long.
const IDLE_CONNECTION_MS = 1_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
// They were meant for the first host.
const PRIVATE_HEADERS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie']);

export interface GuardedHttpOptions {
  readonly policy: TargetPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Unless the request has its own. */
  readonly userAgent?: string;
  /** Certificates (PEM) to trust besides the system's. */
  readonly certificateAuthorities?: readonly string[];
}

/** Opens the way out over HTTP; what the policy does not allow is never connected to. */
export function openGuardedHttp(options: GuardedHttpOptions): OutgoingHttp {
  return new GuardedHttp(options);
}

type Hop = Omit<HttpRequest, 'url'> & { readonly url: RequestUrl };

class GuardedHttp implements OutgoingHttp {
  readonly #policy: TargetPolicy;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #userAgent: string;
  readonly #agent: Agent;
  #closing: Promise<void> | undefined;

  constructor(options: GuardedHttpOptions) {
    this.#policy = options.policy;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#userAgent = options.userAgent ?? 'Tandem';
    const { certificateAuthorities } = options;
    this.#agent = new Agent({
      connections: MAX_CONNECTIONS_PER_ORIGIN,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      connect: {
        lookup: guardedLookup(options.policy),
        timeout: MAX_CONNECT_MS,
        ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
      },
    });
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    if (this.#closing !== undefined) throw new HttpError('refused', 'the program is closing: no request goes out');
    return holding(this.#clock, () => this.#follow(request));
  }

  close(): Promise<void> {
    this.#closing ??= this.#agent.destroy();
    return this.#closing;
  }

  async #follow(request: HttpRequest): Promise<HttpResponse> {
    const deadlineMs = systemClock.now() + (request.totalTimeoutMs ?? DEFAULT_TOTAL_TIMEOUT_MS);
    const maxRedirects = request.maxRedirects ?? DEFAULT_MAX_REDIRECTS;
    let hop: Hop = { ...request, url: parseRequestUrl(request.url) };
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#hop(hop, deadlineMs);
      const location = response.headers['location'];
      if (!REDIRECTS.has(response.status) || location === undefined) return this.#finished(hop, response);
      if (redirects >= maxRedirects) {
        throw new HttpError(
          'too-many-redirects',
          `redirected again after ${redirects} redirects: want at most that many`,
        );
      }
      hop = redirected(hop, response.status, parseRequestUrl(location, hop.url.href));
    }
  }

  async #hop(hop: Hop, deadlineMs: number): Promise<ExchangeResponse> {
    const { url, method } = hop;
    this.#checkLiteral(url.host);
    const leftMs = deadlineMs - systemClock.now();
    if (leftMs <= 0) throw new HttpError('total-timeout', 'the time for the whole request was over before this hop');
    const response = await exchange(this.#agent, {
      url,
      method,
      headers: this.#headersOf(hop),
      body: hop.body,
      connectTimeoutMs: hop.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      readTimeoutMs: hop.readTimeoutMs ?? DEFAULT_READ_TIMEOUT_MS,
      totalTimeoutMs: Math.ceil(leftMs),
      maxBytes: hop.maxBytes ?? DEFAULT_MAX_BYTES,
    });
    this.#logger.debug(
      { method, origin: url.origin, status: response.status, bytes: response.body.length },
      'http: answered',
    );
    return response;
  }

  /** An address in the URL is never looked up, so the check at the lookup does not see it. */
  #checkLiteral(host: string): void {
    if (parseIpAddress(host) === undefined) return;
    const refusal = this.#policy.refusal(host, host);
    if (refusal !== undefined) throw forbidden(host, refusal);
  }

  #headersOf(hop: Hop): Readonly<Record<string, string>> {
    const given = { ...hop.headers, ...hop.headersFor?.(hop.url.href, hop.method) };
    const lowered = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
    return {
      'user-agent': this.#userAgent,
      accept: '*/*',
      'accept-encoding': ACCEPTED_ENCODINGS,
      ...(hop.url.authorization === undefined ? {} : { authorization: hop.url.authorization }),
      ...Object.fromEntries(lowered),
    };
  }

  async #finished(hop: Hop, response: ExchangeResponse): Promise<HttpResponse> {
    const maxBytes = hop.maxBytes ?? DEFAULT_MAX_BYTES;
    const body = await decodeBody(response.body, response.headers['content-encoding'], maxBytes);
    return { status: response.status, headers: response.headers, body, url: hop.url.href };
  }
}

/** The next hop (RFC 9110 15.4): after 303, and after 301 and 302 to a POST, a GET without a body. */
function redirected(hop: Hop, status: number, url: RequestUrl): Hop {
  const becomesGet = status === 303 ? hop.method !== 'HEAD' : status <= 302 && hop.method === 'POST';
  const { body, headers, ...rest } = hop;
  const kept = Object.entries(headers ?? {}).filter(([name]) => {
    const lower = name.toLowerCase();
    if (becomesGet && lower.startsWith('content-')) return false;
    return url.origin === hop.url.origin || !PRIVATE_HEADERS.has(lower);
  });
  return {
    ...rest,
    url,
    headers: Object.fromEntries(kept),
    method: becomesGet ? 'GET' : hop.method,
    ...(becomesGet || body === undefined ? {} : { body }),
  };
}

/** Gives the connector only addresses that may be reached, so that no name can lead elsewhere between check and use. */
function guardedLookup(policy: TargetPolicy): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '');
      const allowed = found.filter((one) => policy.refusal(host, one.address) === undefined);
      const first: LookupAddress | undefined = allowed[0];
      if (first === undefined) return callback(forbidden(host, refusalOf(policy, host, found)), '');
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function refusalOf(policy: TargetPolicy, host: string, found: readonly LookupAddress[]): string {
  const first = found[0];
  return (first && policy.refusal(host, first.address)) ?? 'it has no address';
}

function forbidden(host: string, refusal: string): HttpError {
  return new HttpError('forbidden-target', `${quoted(host)} must not be reached: ${refusal}`);
}
