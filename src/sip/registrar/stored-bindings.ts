import type { Clock } from '../../base/clock.ts';
import type { Directory } from '../../directory/directory.ts';
import { bindingId, bindingKey, readBinding, type Binding } from './binding.ts';

export interface StoredBinding {
  readonly id: string;
  readonly binding: Binding;
}

interface Written {
  readonly value: string;
  readonly binding: Binding;
}

const MAX_REMEMBERED = 20_000;

/** The bindings that the directory keeps as text; remembers those that were written here, so that they need no parsing. */
export class StoredBindings {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #maxRemembered: number;
  /** By key and id, those written first before. */
  readonly #written = new Map<string, Written>();

  constructor(options: { readonly directory: Directory; readonly clock: Clock; readonly maxRemembered?: number }) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#maxRemembered = options.maxRemembered ?? MAX_REMEMBERED;
  }

  /** How many need no parsing. */
  get remembered(): number {
    return this.#written.size;
  }

  /** Of an address of record; without values that another version of this program wrote in a form of its own. */
  async get(aor: string): Promise<readonly StoredBinding[]> {
    const key = bindingKey(aor);
    const entries = await this.#directory.get(key);
    const nowMs = this.#clock.now();
    const stored: StoredBinding[] = [];
    for (const { id, value } of entries) {
      const written = this.#written.get(nameOf(key, id));
      const binding = written?.value === value ? written.binding : readBinding(value);
      if (binding !== undefined && binding.expiresAt > nowMs) stored.push({ id, binding });
    }
    return stored;
  }

  async put(aor: string, binding: Binding): Promise<void> {
    const [key, id, value] = [bindingKey(aor), bindingId(binding), JSON.stringify(binding)];
    const nowMs = this.#clock.now();
    await this.#directory.put(key, id, value, binding.expiresAt - nowMs);
    const name = nameOf(key, id);
    this.#written.delete(name);
    this.#written.set(name, { value, binding });
    this.#makeRoom(nowMs);
  }

  async remove(aor: string, id: string): Promise<void> {
    const key = bindingKey(aor);
    this.#written.delete(nameOf(key, id));
    await this.#directory.remove(key, id);
  }

  /** Whoever renews a binding writes it anew: what was written first is what has expired, or expires first. */
  #makeRoom(nowMs: number): void {
    for (const [name, { binding }] of this.#written) {
      if (binding.expiresAt > nowMs && this.#written.size <= this.#maxRemembered) return;
      this.#written.delete(name);
    }
  }
}

function nameOf(key: string, id: string): string {
  return `${key} ${id}`;
}
