import { errorText, TandemError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { quoted } from '../base/parsed.ts';
import type { Bus } from './bus.ts';

/** `no-server`: nobody serves the key. `already-served`: a second server of one key. */
export type BusErrorCode = 'no-server' | 'already-served';

export class BusError extends TandemError<BusErrorCode> {}

type Handler = (payload: unknown) => Promise<unknown>;
type Subscriber = (payload: unknown) => void;

/**
 * The bus of a single process. Payloads are copied, so that nothing passes here which would not pass between processes
 * (`structuredClone` refuses functions), and no side sees the other's later changes.
 */
export class InProcessBus implements Bus {
  readonly #logger: Logger;
  readonly #servers = new Map<string, Handler>();
  readonly #subscribers = new Map<string, Set<Subscriber>>();

  constructor(options: { readonly logger: Logger }) {
    this.#logger = options.logger;
  }

  async request(topic: string, key: string, payload: unknown): Promise<unknown> {
    const handler = this.#servers.get(address(topic, key));
    if (handler === undefined) {
      throw new BusError('no-server', `${quoted(topic)} for ${quoted(key)}: nobody serves it, it may have ended`);
    }
    return structuredClone(await handler(structuredClone(payload)));
  }

  serve(topic: string, key: string, handler: Handler): { stop(): void } {
    const name = address(topic, key);
    if (this.#servers.has(name)) {
      throw new BusError('already-served', `${quoted(topic)} for ${quoted(key)} has a server: stop that one first`);
    }
    this.#servers.set(name, handler);
    return {
      stop: () => {
        if (this.#servers.get(name) === handler) this.#servers.delete(name);
      },
    };
  }

  /** Subscribers are called in order of their subscription; one that throws is logged and stops nobody. */
  publish(topic: string, payload: unknown): void {
    for (const subscriber of [...(this.#subscribers.get(topic) ?? [])]) {
      try {
        subscriber(structuredClone(payload));
      } catch (error) {
        this.#logger.error({ topic, reason: errorText(error) }, 'bus: a subscriber failed');
      }
    }
  }

  subscribe(topic: string, handler: Subscriber): { stop(): void } {
    const subscribers = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, subscribers);
    // An own function for each subscription: one handler may subscribe twice.
    const subscriber: Subscriber = (payload) => handler(payload);
    subscribers.add(subscriber);
    return {
      stop: () => {
        subscribers.delete(subscriber);
        if (subscribers.size === 0 && this.#subscribers.get(topic) === subscribers) this.#subscribers.delete(topic);
      },
    };
  }
}

function address(topic: string, key: string): string {
  return JSON.stringify([topic, key]);
}
