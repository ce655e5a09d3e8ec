import type { Clock } from '../../base/clock.ts';
import { parseSipUri } from '../../wire/sip/uri.ts';
import type { Admission } from '../user-agent.ts';

/** A domain that the operator adds or removes counts after this time. */
const REALM_LIFETIME_MS = 2_000;
const MAX_HOSTS = 1_000;

/** The realms of hosts, asked of the admission port at most once a while: each request without a password needs one. */
export class Realms {
  readonly #admission: Admission;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly realm: Promise<string>; readonly untilMs: number }>();

  constructor(admission: Admission, clock: Clock) {
    this.#admission = admission;
    this.#clock = clock;
  }

  /** The realm of a URI's host. */
  of(uri: string): Promise<string> {
    const host = parseSipUri(uri)?.host ?? '';
    const known = this.#known.get(host);
    if (known !== undefined && known.untilMs > this.#clock.now()) return known.realm;
    // Hosts come from strangers: their number is bounded by starting again.
    if (this.#known.size >= MAX_HOSTS) this.#known.clear();
    const realm = this.#admission.realm(host);
    this.#known.set(host, { realm, untilMs: this.#clock.now() + REALM_LIFETIME_MS });
    realm.catch(() => this.#known.delete(host));
    return realm;
  }
}
