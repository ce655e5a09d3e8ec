import { needsCredentials, type RelaySettings } from '../api/relay-credentials.ts';
import type { Config } from './config.ts';
import { ConfigError } from './load-config.ts';

/** STUN and TURN servers as the operator names them. */
export function relaySettings({ turnUrls, turnSecret, turnTtl }: Config): RelaySettings {
  const relay = turnUrls.find(needsCredentials);
  if (relay !== undefined && turnSecret === undefined) {
    throw new ConfigError(
      `turnUrls: ${relay} takes nobody without credentials; want turnSecret, the static-auth-secret of that server`,
    );
  }
  return { urls: turnUrls, ttlSeconds: turnTtl, ...(turnSecret === undefined ? {} : { secret: turnSecret }) };
}
