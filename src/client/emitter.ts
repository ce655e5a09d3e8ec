/** Handlers by the names of events, as pages know them. */
export class Emitter<Events extends { [Name in keyof Events]: readonly unknown[] }> {
  readonly #handlers = new Map<keyof Events, Set<Handler>>();
  readonly #once = new WeakMap<Handler, Handler>();

  on<Name extends keyof Events>(name: Name, handler: (...values: Events[Name]) => void): this {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler as Handler));
    return this;
  }

  once<Name extends keyof Events>(name: Name, handler: (...values: Events[Name]) => void): this {
    const first = (...values: Events[Name]): void => {
      this.off(name, handler);
      handler(...values);
    };
    this.#once.set(handler as Handler, first as Handler);
    return this.on(name, first);
  }

  off<Name extends keyof Events>(name: Name, handler: (...values: Events[Name]) => void): this {
    const handlers = this.#handlers.get(name);
    handlers?.delete(handler as Handler);
    handlers?.delete(this.#once.get(handler as Handler) ?? (handler as Handler));
    return this;
  }

  /** All handlers of an event, or of every event. */
  removeAllListeners(name?: keyof Events): this {
    if (name === undefined) this.#handlers.clear();
    else this.#handlers.delete(name);
    return this;
  }

  listenerCount(name: keyof Events): number {
    return this.#handlers.get(name)?.size ?? 0;
  }

  /** A handler that throws is the page's matter: it is told as any uncaught error, and the call goes on. */
  protected emit<Name extends keyof Events>(name: Name, ...values: Events[Name]): void {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) {
      try {
        handler(...values);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

type Handler = (...values: readonly unknown[]) => void;
