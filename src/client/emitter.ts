/** Handlers by the names of events, as pages know them. A handler stands under a name once, and under many names. */
export class Emitter<Events extends { [Name in keyof Events]: readonly unknown[] }> {
  readonly #handlers = new Map<keyof Events, Map<Handler, 'always' | 'once'>>();

  on<Name extends keyof Events>(name: Name, handler: (...values: Events[Name]) => void): this {
    const handlers = this.#handlers.get(name) ?? new Map<Handler, 'always' | 'once'>();
    this.#handlers.set(name, handlers.set(handler as Handler, 'always'));
    return this;
  }

  once<Name extends keyof Events>(name: Name, handler: (...values: Events[Name]) => void): this {
    const isKnown = this.#handlers.get(name)?.has(handler as Handler) === true;
    // By `on`, which a class may extend.
    if (!isKnown)
      this.on(name, handler)
        .#handlers.get(name)
        ?.set(handler as Handler, 'once');
    return this;
  }

  off<Name extends keyof Events>(name: Name, handler: (...values: Events[Name]) => void): this {
    this.#handlers.get(name)?.delete(handler as Handler);
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
    const handlers = this.#handlers.get(name);
    for (const [handler, when] of [...(handlers ?? [])]) {
      // An event that a handler before this one caused may have called it.
      if (when === 'once' && handlers?.delete(handler) !== true) continue;
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
