import type { Clock } from '../../base/clock.ts';
import type { Endpoint, Network, StreamConnection } from '../../base/network.ts';
import { SipError } from '../sip-error.ts';

/** Routes change when a cable or a wireless network does; asking again is cheap. */
const ROUTE_LIFETIME_MS = 30_000;
const MAX_ROUTES = 10_000;
/** Questions to the system at a time: strangers with forged addresses must not use up its sockets. */
const MAX_QUESTIONS = 128;

export interface LocalAddressesOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Where the sockets are bound; an unspecified address asks the routes. */
  readonly bound: Endpoint;
  readonly advertise?: string;
}

/** Which of our addresses a peer can answer to: the advertised one, the bound one, or the one its route leaves from. */
export class LocalAddresses {
  readonly #options: LocalAddressesOptions;
  readonly #fixed: Endpoint | undefined;
  readonly #asking = new Map<string, Promise<Endpoint>>();
  readonly #routes = new Map<string, { readonly local: Endpoint; readonly untilMs: number }>();

  constructor(options: LocalAddressesOptions) {
    this.#options = options;
    const { address, port } = options.bound;
    const fixed = options.advertise ?? (isUnspecified(address) ? undefined : address);
    this.#fixed = fixed === undefined ? undefined : { address: fixed, port };
  }

  /** Without asking the system; undefined when it has to be asked. */
  known(remoteAddress: string): Endpoint | undefined {
    if (this.#fixed !== undefined) return this.#fixed;
    const route = this.#routes.get(remoteAddress);
    return route !== undefined && route.untilMs > this.#options.clock.now() ? route.local : undefined;
  }

  /** Rejects when the system knows no route, or is asked for too many at once. */
  toward(remoteAddress: string): Promise<Endpoint> {
    const known = this.known(remoteAddress);
    if (known !== undefined) return Promise.resolve(known);
    const pending = this.#asking.get(remoteAddress);
    if (pending !== undefined) return pending;
    if (this.#asking.size >= MAX_QUESTIONS) {
      return Promise.reject(new SipError('overloaded', 'too many new peers at once'));
    }
    const asked = this.#ask(remoteAddress).finally(() => this.#asking.delete(remoteAddress));
    this.#asking.set(remoteAddress, asked);
    return asked;
  }

  async #ask(remoteAddress: string): Promise<Endpoint> {
    const { network, clock, bound } = this.#options;
    const local = { address: await network.routeTo(remoteAddress), port: bound.port };
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    this.#routes.set(remoteAddress, { local, untilMs: clock.now() + ROUTE_LIFETIME_MS });
    return local;
  }

  /** A connection knows its own address; the port is the one we listen on, never the ephemeral one. */
  ofConnection(connection: StreamConnection): Endpoint {
    return this.#fixed ?? { address: connection.local.address, port: this.#options.bound.port };
  }
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
