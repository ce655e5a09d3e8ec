import { hash, timingSafeEqual } from 'node:crypto';
import type { Account } from '../comms/model.ts';
import type { Records } from '../comms/records/records.ts';
import { ApiError, DOOR_FAULTS } from './api-error.ts';

const MAX_HEADER_CHARS = 1024;

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

function unauthorized(): ApiError {
  return new ApiError({
    status: 401,
    code: 20003,
    message: DOOR_FAULTS[20003],
    headers: { 'www-authenticate': 'Basic realm="Tandem API"' },
  });
}
