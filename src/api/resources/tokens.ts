import { dateText } from '../date-text.ts';
import { needsCredentials, relayCredentials, type RelaySettings } from '../relay-credentials.ts';
import { created, type Json, type Resource, type ResourceContext } from '../resource.ts';

/** The vendor's limit; what is above ours is cut to ours, and said. */
const MAX_TTL_SECONDS = 86_400;

/** Where browsers find STUN and TURN servers, with credentials for a while. */
export function tokenResources(
  { clock }: ResourceContext,
  { urls, secret, ttlSeconds }: RelaySettings,
): readonly Resource[] {
  return [
    {
      path: '/Accounts/:AccountSid/Tokens',
      post: async ({ account, form }) => {
        const wanted = form.integer('Ttl', { low: 1, high: MAX_TTL_SECONDS }) ?? ttlSeconds;
        const ttl = Math.min(wanted, ttlSeconds);
        const now = clock.now();
        const credentials =
          secret === undefined || !urls.some(needsCredentials)
            ? undefined
            : relayCredentials(secret, account.sid, now + ttl * 1000);
        const server = (url: string): Json => ({
          ...{ url, urls: url },
          ...(credentials !== undefined && needsCredentials(url)
            ? { username: credentials.username, credential: credentials.password }
            : {}),
        });
        return created({
          account_sid: account.sid,
          date_created: dateText(now),
          date_updated: dateText(now),
          ice_servers: urls.map(server),
          username: credentials?.username ?? null,
          password: credentials?.password ?? null,
          ttl: String(ttl),
        });
      },
    },
  ];
}
