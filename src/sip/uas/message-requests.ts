import type { ReceivedRequest } from '../received-request.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { UserAgent } from '../user-agent.ts';
import type { Answers } from './answers.ts';
import type { CallerAuthentication } from './caller-authentication.ts';
import type { Lookups } from './lookups.ts';
import type { StrangerGuard } from './stranger-guard.ts';

export type MessageHandler = Parameters<UserAgent['onMessage']>[0];

export interface MessageRequestsOptions {
  readonly layer: TransactionLayer;
  readonly authentication: CallerAuthentication;
  readonly lookups: Lookups;
  readonly guard: StrangerGuard;
  readonly answers: Answers;
}

/** MESSAGE outside a dialog (RFC 3428): its sender is authenticated, then the handler says what is answered. */
export class MessageRequests {
  readonly #options: MessageRequestsOptions;
  #onMessage: MessageHandler | undefined;
  #draining = false;

  constructor(options: MessageRequestsOptions) {
    this.#options = options;
  }

  onMessage(handler: MessageHandler): void {
    this.#onMessage = handler;
  }

  /** No more messages are taken; those under way reach their handler. */
  drain(): void {
    this.#draining = true;
  }

  receive(request: ReceivedRequest): void {
    const { layer, authentication, lookups, guard, answers } = this.#options;
    const handler = this.#onMessage;
    if (this.#draining || handler === undefined) return answers.unavailable(request);
    lookups.run(async () => {
      const trusted = await authentication.trusted(request);
      if (trusted === undefined && guard.isHeldBack(request)) return;
      const transaction = layer.acceptOnce(request);
      // Its repeat came while it was looked up who sends.
      if (transaction === undefined) return;
      await answers.answering(transaction, async () => {
        const caller = trusted ?? (await authentication.byPassword(transaction));
        if (caller === undefined) return;
        answers.answer(transaction, await handler({ request: request.message, caller }));
      });
    });
  }
}
