import { randomInteger } from '../../base/random.ts';
import type { SipHeader } from '../../wire/sip/message.ts';
import type { SipCore } from '../core.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { SipLimitName } from '../user-agent.ts';

const RETRY_AFTER_SECONDS = { low: 2, high: 10 } as const;

export interface AnswersOptions {
  readonly core: Pick<SipCore, 'layer' | 'random' | 'responses'>;
  onRefused(limit: SipLimitName): void;
}

/** Answers requests outside a dialog: in their transaction, or without anything being remembered. */
export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  answer(transaction: ServerTransaction, status: number, headers: readonly SipHeader[] = [], reason?: string): void {
    const options = reason === undefined ? { headers } : { headers, reason };
    transaction.respond(this.#options.core.responses.make(transaction.request, status, options));
  }

  answerStateless(request: ReceivedRequest, status: number, headers: readonly SipHeader[] = []): void {
    const { layer, responses } = this.#options.core;
    layer.answerStateless(request, responses.make(request, status, { headers }));
  }

  /** Refuses what a limit has no room for. */
  busy(request: ReceivedRequest, limit: SipLimitName): void {
    this.#options.onRefused(limit);
    this.unavailable(request);
  }

  unavailable(request: ReceivedRequest): void {
    this.answerStateless(request, 503, [this.retryAfter()]);
  }

  /** Differs from answer to answer, so that those who were refused together do not come back together. */
  retryAfter(): SipHeader {
    const { low, high } = RETRY_AFTER_SECONDS;
    return { name: 'Retry-After', value: String(randomInteger(this.#options.core.random, low, high)) };
  }

  /** Work that ends with an answer, whatever happens. */
  async answering<T>(transaction: ServerTransaction, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (transaction.finalStatus === undefined) this.answer(transaction, 500);
      throw error;
    }
  }
}
