import type { Clock } from '../../base/clock.ts';
import { randomHex, type Random } from '../../base/random.ts';

/** A session that is not used for so long is over. */
export const SESSION_IDLE_MS = 12 * 3_600_000;
/** The oldest is ended for a new one. */
const MAX_SESSIONS = 1000;
const TOKEN_BYTES = 32;
const COOKIE = 'tandem_session';

/** Browsers that have shown the account's credentials, in memory: a restart asks again. */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #idleUntil = new Map<string, number>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Gives the Set-Cookie header of a new session. */
  open({ secure }: { readonly secure: boolean }): string {
    const token = randomHex(this.#random, TOKEN_BYTES);
    const [oldest] = this.#idleUntil.keys();
    if (this.#idleUntil.size >= MAX_SESSIONS && oldest !== undefined) this.#idleUntil.delete(oldest);
    this.#renew(token);
    return cookie(token, { secure, maxAgeSeconds: SESSION_IDLE_MS / 1000 });
  }

  has(cookieHeader: string | undefined): boolean {
    const token = tokenIn(cookieHeader);
    const idleUntil = token === undefined ? undefined : this.#idleUntil.get(token);
    if (token === undefined || idleUntil === undefined) return false;
    this.#idleUntil.delete(token);
    if (idleUntil <= this.#clock.now()) return false;
    this.#renew(token);
    return true;
  }

  /** Gives the Set-Cookie header that makes the browser forget it. */
  close(cookieHeader: string | undefined): string {
    this.#idleUntil.delete(tokenIn(cookieHeader) ?? '');
    return cookie('', { secure: false, maxAgeSeconds: 0 });
  }

  /** The map is ordered by use. */
  #renew(token: string): void {
    this.#idleUntil.set(token, this.#clock.now() + SESSION_IDLE_MS);
  }
}

// RFC 6265 4.1: no script sees it, no other site's page sends it along.
function cookie(token: string, { secure, maxAgeSeconds }: { secure: boolean; maxAgeSeconds: number }): string {
  const attributes = `Path=/console; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}`;
  return `${COOKIE}=${token}; ${attributes}${secure ? '; Secure' : ''}`;
}

function tokenIn(header: string | undefined): string | undefined {
  return new RegExp(`(?:^|; *)${COOKIE}=([0-9a-f]{${TOKEN_BYTES * 2}})(?:;|$)`).exec(header ?? '')?.[1];
}
