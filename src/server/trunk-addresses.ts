import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { after, type Cancel, type Clock } from '../base/clock.ts';

const REFRESH_MS = 300_000;

/** Addresses of the trunks' hosts, by the system's resolver; asked again now and then. */
export class TrunkAddresses {
  readonly #clock: Clock;
  readonly #known = new Map<string, readonly string[]>();
  #timer: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known now; a host that was never looked up has none yet. */
  of(host: string): readonly string[] {
    return isIP(host) === 0 ? (this.#known.get(host) ?? []) : [host];
  }

  async learn(hosts: readonly string[]): Promise<void> {
    await Promise.all(hosts.filter((host) => isIP(host) === 0).map((host) => this.#look(host)));
    this.#timer?.();
    if (this.#known.size > 0)
      this.#timer = after(this.#clock, REFRESH_MS, () => void this.learn([...this.#known.keys()]));
  }

  close(): void {
    this.#timer?.();
  }

  async #look(host: string): Promise<void> {
    // A name that does not resolve now keeps what it had: an outage of the resolver must not close a trunk.
    const found = await lookup(host, { all: true }).catch(() => []);
    if (found.length > 0 || !this.#known.has(host))
      this.#known.set(
        host,
        found.map((each) => each.address),
      );
  }
}
