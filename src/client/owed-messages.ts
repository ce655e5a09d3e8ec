import { after, type Cancel, type Clock } from '../base/clock.ts';
import type { ClientMessage } from '../wire/webphone/client-message.ts';
import { MAX_OWED_MESSAGES, RECONNECT_MS } from './limits.ts';

/** What the server still has to hear of calls that ended without a connection, until it ends them by itself. */
export class OwedMessages {
  readonly #clock: Clock;
  readonly #forgotten: () => void;
  #messages: ClientMessage[] = [];
  #cancel: Cancel | undefined;

  /** `forgotten`: no connection came in time; nothing is owed any more. */
  constructor(clock: Clock, forgotten: () => void) {
    this.#clock = clock;
    this.#forgotten = forgotten;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  add(message: ClientMessage): void {
    if (this.#messages.length >= MAX_OWED_MESSAGES) return;
    this.#messages.push(message);
    this.#cancel?.();
    this.#cancel = after(this.#clock, RECONNECT_MS, () => {
      this.clear();
      this.#forgotten();
    });
  }

  /** Gives all of it, to be sent. */
  take(): readonly ClientMessage[] {
    const messages = this.#messages;
    this.clear();
    return messages;
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#messages = [];
  }
}
