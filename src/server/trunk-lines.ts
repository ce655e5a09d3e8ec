import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { after, sleep, type Cancel, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Trunk } from '../comms/place-model.ts';
import type { TrunkRegistration, UserAgent } from '../sip/user-agent.ts';
import { parseSipUri } from '../wire/sip/uri.ts';

const LOOKUP_EVERY_MS = 300_000;
/** While a host has no address its trunk is shut: it is asked for sooner. */
const LOOKUP_AGAIN_MS = 15_000;
/** A resolver without an uplink answers late: the start does not wait for it longer. */
const MAX_START_WAIT_MS = 2000;
/** So long an exchange may take to confirm that a registration is taken back. */
const MAX_FAREWELL_MS = 2000;
const REGISTRATION_SECONDS = 600;

export interface TrunkLinesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Addresses of a host name, none when it does not resolve; default: the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** The trunks in use: the addresses of their hosts, by the system's resolver, and the registrations kept there. */
export class TrunkLines {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #resolve: (host: string) => Promise<readonly string[]>;
  readonly #hosts = new Map<string, string>();
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #registrations = new Map<string, TrunkRegistration>();
  #userAgent: Pick<UserAgent, 'registerTrunk'> | undefined;
  #timer: Cancel | undefined;
  #closed = false;

  constructor({ clock, log, resolve = systemAddresses }: TrunkLinesOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#resolve = resolve;
  }

  /** What is known now; a host that was never looked up has none yet. */
  addressesOf(host: string): readonly string[] {
    return isIP(host) === 0 ? (this.#addresses.get(host) ?? []) : [host];
  }

  async start(trunks: readonly Trunk[], userAgent: Pick<UserAgent, 'registerTrunk'>): Promise<void> {
    this.#userAgent = userAgent;
    await this.#within(MAX_START_WAIT_MS, Promise.all(trunks.map((trunk) => this.add(trunk))));
    this.#lookLater();
  }

  /** Resolves when its host was looked up. */
  async add(trunk: Trunk): Promise<void> {
    const host = hostOf(trunk);
    this.#hosts.set(trunk.name, host);
    this.#register(trunk, host);
    await this.#look(host);
    if (this.#timer === undefined) return;
    this.#timer();
    this.#lookLater();
  }

  async remove(name: string): Promise<void> {
    const registration = this.#registrations.get(name);
    this.#registrations.delete(name);
    const host = this.#hosts.get(name) ?? '';
    this.#hosts.delete(name);
    if (![...this.#hosts.values()].includes(host)) this.#addresses.delete(host);
    if (registration !== undefined) await this.#within(MAX_FAREWELL_MS, registration.stop());
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
    this.#closed = true;
    this.#timer?.();
    await Promise.allSettled([...this.#registrations.keys()].map((name) => this.remove(name)));
  }

  #register(trunk: Trunk, host: string): void {
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

  #lookLater(): void {
    if (this.#closed) return;
    const names = [...new Set(this.#hosts.values())].filter((host) => isIP(host) === 0);
    const isShut = names.some((host) => this.addressesOf(host).length === 0);
    this.#timer = after(this.#clock, isShut ? LOOKUP_AGAIN_MS : LOOKUP_EVERY_MS, () => {
      void Promise.all(names.map((host) => this.#look(host))).then(() => this.#lookLater());
    });
  }

  async #look(host: string): Promise<void> {
    if (isIP(host) !== 0) return;
    // A name that does not resolve now keeps what it had: an outage of the resolver must not close a trunk.
    const found = await this.#resolve(host).catch(() => []);
    const isUsed = [...this.#hosts.values()].includes(host);
    if (found.length > 0 && isUsed) this.#addresses.set(host, found);
  }

  async #within(maxMs: number, work: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const bound = sleep(this.#clock, maxMs, over.signal).catch(() => undefined);
    await Promise.race([work, bound]).finally(() => over.abort());
  }
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map((each) => each.address);
}

function hostOf(trunk: Trunk): string {
  return parseSipUri(trunk.uri)?.host ?? '';
}
