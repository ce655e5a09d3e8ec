import type { CallCarrier, CallOwner, SignalledCall } from './signalled-call.ts';

/**
 * The calls of all browsers by their names. A call to several devices of a client has one sid and a signalling of its own
 * with each.
 */
export class CallIndex {
  readonly #byName = new Map<string, Set<SignalledCall>>();
  readonly #names = new Map<SignalledCall, Set<string>>();

  get size(): number {
    return this.#names.size;
  }

  all(): readonly SignalledCall[] {
    return [...this.#names.keys()];
  }

  add(name: string, call: SignalledCall): void {
    const calls = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, calls.add(call));
    const names = this.#names.get(call) ?? new Set();
    this.#names.set(call, names.add(name));
  }

  remove(call: SignalledCall): void {
    for (const name of this.#names.get(call) ?? []) {
      const calls = this.#byName.get(name);
      calls?.delete(call);
      if (calls?.size === 0) this.#byName.delete(name);
    }
    this.#names.delete(call);
  }

  /** The client's call of that name: what this socket carries, else what it may come back for. */
  find(name: string, owner: CallOwner | undefined, carrier: CallCarrier): SignalledCall | undefined {
    const own = [...(this.#byName.get(name) ?? [])].filter((call) => call.isOwnedBy(owner));
    return own.find((call) => call.carrier === carrier) ?? own.find((call) => call.isUp) ?? own[0];
  }

  carriedBy(carrier: CallCarrier): readonly SignalledCall[] {
    return this.all().filter((call) => call.carrier === carrier);
  }
}
