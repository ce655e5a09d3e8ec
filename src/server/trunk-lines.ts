import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { after, type Cancel, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Trunk } from '../comms/place-model.ts';
import type { TrunkRegistration, UserAgent } from '../sip/user-agent.ts';
import { parseSipUri } from '../wire/sip/uri.ts';

const LOOKUP_EVERY_MS = 300_000;
const REGISTRATION_SECONDS = 600;

/** The trunks in use: the addresses of their hosts, by the system's resolver, and the registrations kept there. */
export class TrunkLines {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #registrations = new Map<string, TrunkRegistration>();
  #userAgent: UserAgent | undefined;
  #timer: Cancel | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** What is known now; a host that was never looked up has none yet. */
  addressesOf(host: string): readonly string[] {
    return isIP(host) === 0 ? (this.#addresses.get(host) ?? []) : [host];
  }

  async start(trunks: readonly Trunk[], userAgent: UserAgent): Promise<void> {
    this.#userAgent = userAgent;
    await Promise.all(trunks.map((trunk) => this.add(trunk)));
    this.#lookLater();
  }

  async add(trunk: Trunk): Promise<void> {
    const host = hostOf(trunk);
    if (isIP(host) === 0) await this.#look(host);
    if (!trunk.register || trunk.username === null || this.#userAgent === undefined) return;
    try {
      const registration = this.#userAgent.registerTrunk({
        registrar: trunk.uri,
        aor: `sip:${trunk.username}@${host}`,
        credentials: { username: trunk.username, password: trunk.password ?? '' },
        expiresSeconds: REGISTRATION_SECONDS,
        onState: (state) => this.#log.info({ trunk: trunk.name, ...state }, 'the registration of a trunk changed'),
      });
      this.#registrations.set(trunk.name, registration);
    } catch (error) {
      this.#log.warn({ trunk: trunk.name, error: errorText(error) }, 'a trunk cannot be registered');
    }
  }

  async remove(name: string): Promise<void> {
    const registration = this.#registrations.get(name);
    this.#registrations.delete(name);
    await registration?.stop();
  }

  /** For people: `at 192.0.2.1`, `registered at 192.0.2.1`, `gateway.example does not resolve`. */
  stateOf(trunk: Trunk): string {
    const addresses = this.addressesOf(hostOf(trunk));
    if (addresses.length === 0) return `${hostOf(trunk)} does not resolve`;
    const registration = this.#registrations.get(trunk.name);
    const where = `at ${addresses.join(', ')}`;
    return registration === undefined ? where : `${registration.state.kind} ${where}`;
  }

  async close(): Promise<void> {
    this.#timer?.();
    await Promise.allSettled([...this.#registrations.keys()].map((name) => this.remove(name)));
  }

  #lookLater(): void {
    this.#timer = after(this.#clock, LOOKUP_EVERY_MS, () => {
      void Promise.all([...this.#addresses.keys()].map((host) => this.#look(host))).then(() => this.#lookLater());
    });
  }

  async #look(host: string): Promise<void> {
    // A name that does not resolve now keeps what it had: an outage of the resolver must not close a trunk.
    const found = await lookup(host, { all: true }).catch(() => []);
    if (found.length > 0 || !this.#addresses.has(host)) {
      this.#addresses.set(
        host,
        found.map((each) => each.address),
      );
    }
  }
}

function hostOf(trunk: Trunk): string {
  return parseSipUri(trunk.uri)?.host ?? '';
}
