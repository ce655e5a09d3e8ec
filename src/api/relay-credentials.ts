import { createHmac } from 'node:crypto';

/** What browsers may use to find a way through: STUN and TURN servers, and the secret that this place shares with the latter. */
export interface RelaySettings {
  /** `stun:…`, `stuns:…`, `turn:…`, `turns:…` (RFC 7064, 7065). */
  readonly urls: readonly string[];
  /** coturn's `static-auth-secret`; wanted where a URL is a TURN server's. */
  readonly secret?: string;
  /** How long credentials are good, at most and unless asked for less. */
  readonly ttlSeconds: number;
}

export const DEFAULT_RELAY: RelaySettings = { urls: [], ttlSeconds: 86_400 };

export interface RelayCredentials {
  readonly username: string;
  readonly password: string;
}

export function needsCredentials(url: string): boolean {
  return /^turns?:/i.test(url);
}

/**
 * Credentials that the TURN server checks by itself (draft-uberti-behave-turn-rest-00 2.2): the name says when they end,
 * the password proves that whoever knows the secret made the name.
 */
export function relayCredentials(secret: string, name: string, expiresAtMs: number): RelayCredentials {
  const username = `${Math.floor(expiresAtMs / 1000)}:${name}`;
  return { username, password: createHmac('sha1', secret).update(username).digest('base64') };
}
