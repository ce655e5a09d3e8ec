import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { SipRequest, SipResponse } from '../../wire/sip/message.ts';
import type { DigestClient } from '../auth/digest-client.ts';
import { SipError } from '../sip-error.ts';
import type { ClientTransaction } from '../transaction/client-transaction.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import { formatHop, type Flow, type Hop } from '../transport/hop.ts';
import type { Transports } from '../transport/transports.ts';

/** RFC 3261 18.1.1: a larger request goes over a stream, since nobody knows what datagrams the path takes. */
export const MAX_DATAGRAM_REQUEST_BYTES = 1_300;
/** Our Via, which is added later. */
const VIA_BYTES = 120;
const MAX_CHALLENGES = 5;

/** A request that is made anew for each attempt. */
export interface Outbound {
  /** Places to try, best first. */
  readonly hops: () => Promise<readonly Hop[]>;
  /** The request as it leaves on this flow, without Via; a new CSeq each time. */
  readonly compose: (flow: Flow) => SipRequest | Promise<SipRequest>;
  readonly digest: DigestClient;
  /** The hop is the only way to the peer: a large request is not tried over a stream first. */
  readonly pinned?: boolean;
}

/** Sees each attempt as it happens, in the same turn as the message. */
export interface ExchangeObserver {
  /** The request's first byte left. */
  started?(transaction: ClientTransaction): void;
  /** Every response, repeated 2xx to INVITE included. */
  response?(response: SipResponse, transaction: ClientTransaction): void;
  /** True: no further attempt is wanted. */
  stopped?(): boolean;
}

export type ExchangeOutcome =
  | { readonly kind: 'response'; readonly response: SipResponse; readonly transaction: ClientTransaction }
  | { readonly kind: 'failed'; readonly cause: 'timeout' | 'unreachable'; readonly detail: string }
  | { readonly kind: 'stopped' };

export interface RequestSenderOptions {
  readonly layer: TransactionLayer;
  readonly transports: Transports;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Sends requests: one place after the other until one answers, with credentials when asked for them. */
export class RequestSender {
  readonly #options: RequestSenderOptions;

  constructor(options: RequestSenderOptions) {
    this.#options = options;
  }

  /** The outcome of the whole effort. Rejects only when the request itself cannot be made. */
  async exchange(outbound: Outbound, observer: ExchangeObserver = {}): Promise<ExchangeOutcome> {
    let last: ExchangeOutcome = { kind: 'failed', cause: 'unreachable', detail: 'no place to send to' };
    let hops: readonly Hop[];
    try {
      hops = await outbound.hops();
    } catch (error) {
      if (!(error instanceof SipError)) throw error;
      return { kind: 'failed', cause: 'unreachable', detail: error.message };
    }
    for (const hop of hops) {
      last = await this.#attempt(outbound, hop, observer);
      // RFC 3263 4.3: 503, a timeout or a failed transport lead to the next place.
      if (last.kind === 'stopped' || (last.kind === 'response' && last.response.status !== 503)) return last;
    }
    return last;
  }

  async #attempt(outbound: Outbound, hop: Hop, observer: ExchangeObserver): Promise<ExchangeOutcome> {
    const answered = new Set<string>();
    for (let attempt = 0; ; attempt += 1) {
      if (observer.stopped?.() === true) return { kind: 'stopped' };
      const prepared = await this.#prepare(outbound, hop);
      if (prepared.kind === 'failed') return prepared;
      if (observer.stopped?.() === true) return { kind: 'stopped' };
      const outcome = await this.#transact(prepared.request, prepared.flow, observer);
      const challenged =
        outcome.kind === 'response' && (outcome.response.status === 401 || outcome.response.status === 407);
      if (!challenged || attempt === MAX_CHALLENGES || !outbound.digest.take(outcome.response, answered))
        return outcome;
    }
  }

  /** The request and the flow it fits on. */
  async #prepare(
    outbound: Outbound,
    hop: Hop,
  ): Promise<
    | { readonly kind: 'ready'; readonly request: SipRequest; readonly flow: Flow }
    | (ExchangeOutcome & { readonly kind: 'failed' })
  > {
    let flow: Flow;
    try {
      flow = await this.#options.transports.flowTo(hop);
    } catch (error) {
      return { kind: 'failed', cause: 'unreachable', detail: `${formatHop(hop)}: ${errorText(error)}` };
    }
    const request = withCredentials(await outbound.compose(flow), outbound.digest);
    const fits = flow.transport !== 'udp' || requestBytes(request) <= MAX_DATAGRAM_REQUEST_BYTES;
    if (fits || outbound.pinned === true) return { kind: 'ready', request, flow };
    try {
      const stream = await this.#options.transports.flowTo({ ...hop, transport: 'tcp' });
      return { kind: 'ready', request: withCredentials(await outbound.compose(stream), outbound.digest), flow: stream };
    } catch {
      // 18.1.1: where TCP is refused the large datagram is still worth a try.
      return { kind: 'ready', request, flow };
    }
  }

  #transact(request: SipRequest, flow: Flow, observer: ExchangeObserver): Promise<ExchangeOutcome> {
    return new Promise((resolve) => {
      let transaction: ClientTransaction | undefined;
      const user = {
        response: (response: SipResponse): void => {
          if (transaction === undefined) return;
          observer.response?.(response, transaction);
          if (response.status >= 200) resolve({ kind: 'response', response, transaction });
        },
        failed: (cause: 'timeout' | 'transport'): void => {
          const detail = `${formatHop(flow)}: ${cause === 'timeout' ? 'no answer' : 'the connection failed'}`;
          resolve({ kind: 'failed', cause: cause === 'timeout' ? 'timeout' : 'unreachable', detail });
        },
      };
      try {
        transaction = this.#options.layer.start(request, flow, user);
        if (!transaction.isOver) observer.started?.(transaction);
      } catch (error) {
        resolve({ kind: 'failed', cause: 'unreachable', detail: errorText(error) });
      }
    });
  }
}

function withCredentials(request: SipRequest, digest: DigestClient): SipRequest {
  const lines = digest.authorize(request.method, request.uri);
  return lines.length === 0 ? request : { ...request, headers: [...request.headers, ...lines] };
}

function requestBytes(request: SipRequest): number {
  let bytes = VIA_BYTES + request.uri.length + request.body.length;
  for (const { name, value } of request.headers) bytes += name.length + value.length + 4;
  return bytes;
}
