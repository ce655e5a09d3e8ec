import { hash, timingSafeEqual } from 'node:crypto';
import type { HoldBack } from '../base/hold-back.ts';
import type { Account } from '../comms/model.ts';
import type { Records } from '../comms/records/records.ts';
import { ApiError, DOOR_FAULTS } from './api-error.ts';

const MAX_HEADER_CHARS = 1024;
const MAX_KNOWN = 20_000;

/** Who asks. */
export interface Caller {
  readonly account: Account;
  /** With an API key, which may not read auth tokens nor make further keys. */
  readonly byKey: boolean;
}

/**
 * Basic authentication with account sid and auth token, or key sid and secret. Throws ApiError: 401 for credentials that
 * are missing or wrong, 403 for an account that is not active.
 */
export async function authenticate(header: string | undefined, records: Records): Promise<Caller> {
  const credentials = parseBasic(header);
  if (credentials === undefined) throw unauthorized();
  const found = await lookUp(credentials.username, records);
  // An unknown sid costs the same time as a wrong secret.
  const right = sameSecret(credentials.password, found?.secret ?? '');
  if (found === undefined || !right) throw unauthorized();
  if (found.caller.account.status !== 'active') throw inactive(found.caller.account);
  return found.caller;
}

export function inactive(account: Account): ApiError {
  return new ApiError({ status: 403, code: 20005, message: `Account ${account.sid} is ${account.status}` });
}

interface Found {
  readonly caller: Caller;
  readonly secret: string;
}

async function lookUp(username: string, records: Records): Promise<Found | undefined> {
  if (/^AC[0-9a-f]{32}$/.test(username)) {
    const account = await records.accounts.find(username);
    return account && { caller: { account, byKey: false }, secret: account.authToken };
  }
  if (!/^SK[0-9a-f]{32}$/.test(username)) return undefined;
  const key = await records.keys.findBySid(username);
  const account = key && (await records.accounts.find(key.accountSid));
  return key && account && { caller: { account, byKey: true }, secret: key.secret };
}

/** RFC 7617 2: user-id and password, split at the first colon. */
function parseBasic(header: string | undefined): { username: string; password: string } | undefined {
  if (header === undefined || header.length > MAX_HEADER_CHARS) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/_=-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Compares hashes, which have one length, in constant time. An empty secret is never right. */
function sameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', secret, 'buffer')) && secret !== '';
}

/** Wrong credentials at the HTTP doors, by address. */
export class CredentialGuard {
  readonly #failures: HoldBack;
  /** Addresses and the sids whose right secret came from there, latest last. */
  readonly #known = new Set<string>();

  readonly #isExempt: (address: string) => boolean;

  constructor(failures: HoldBack, isExempt = isLoopback) {
    this.#failures = failures;
    this.#isExempt = isExempt;
  }

  /**
   * As `authenticate`; after too many failures of an address 429 without a look at the credentials. Not for a sid whose
   * right secret came from there before: others behind the same NAT, or proxy, do not keep it out. Nor for this machine:
   * whoever is on it reaches more than this door, and a proxy on it stands for all its clients.
   */
  async authenticate({ header, address }: DoorRequest, records: Records): Promise<Caller> {
    const known = `${address} ${parseBasic(header)?.username ?? ''}`;
    const isExempt = this.#isExempt(address) || this.#known.has(known);
    if (!isExempt && this.#failures.drops(address)) throw tooManyFailures(this.#failures.waitMs(address));
    try {
      const caller = await authenticate(header, records);
      this.#remember(known);
      return caller;
    } catch (error) {
      // No credentials at all are the question what is wanted.
      const isWrong = error instanceof ApiError && error.status === 401 && header !== undefined;
      if (isWrong && !this.#isExempt(address)) this.#failures.fail(address);
      throw error;
    }
  }

  #remember(known: string): void {
    this.#known.delete(known);
    const oldest = this.#known.size < MAX_KNOWN ? undefined : this.#known.values().next().value;
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.add(known);
  }
}

export interface DoorRequest {
  readonly header: string | undefined;
  readonly address: string;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address);
}

function tooManyFailures(waitMs: number): ApiError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new ApiError({
    ...{ status: 429, code: 20429 },
    message: `Too many wrong credentials came from this address: try again in ${seconds} s`,
    headers: { 'retry-after': String(seconds), connection: 'close' },
  });
}

function unauthorized(): ApiError {
  return new ApiError({
    status: 401,
    code: 20003,
    message: DOOR_FAULTS[20003],
    headers: { 'www-authenticate': 'Basic realm="Tandem API"' },
  });
}
