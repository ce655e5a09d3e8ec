import type { Clock } from '../base/clock.ts';
import { PaceLimiter } from '../lane/pace.ts';

/** Accounts whose requests are counted; beyond it the one that was quiet longest begins anew. */
const MAX_ACCOUNTS = 10_000;

/** Requests per second of each account, with a second's worth at once after a pause. Gives 0, or milliseconds to wait. */
export function accountPace(
  requestsPerSecond: number,
  clock: Clock,
  onRefused: () => void = () => undefined,
  maxAccounts = MAX_ACCOUNTS,
): (accountSid: string) => number {
  const limiters = new Map<string, PaceLimiter>();
  return (accountSid) => {
    let limiter = limiters.get(accountSid);
    if (limiter === undefined) {
      limiter = new PaceLimiter({
        ratePerSecond: requestsPerSecond,
        burst: Math.max(1, Math.floor(requestsPerSecond)),
      });
      const oldest = limiters.size < maxAccounts ? undefined : limiters.keys().next().value;
      if (oldest !== undefined) limiters.delete(oldest);
    } else limiters.delete(accountSid);
    // Map order is order of use.
    limiters.set(accountSid, limiter);
    const now = clock.now();
    const decision = limiter.take(now);
    if (decision.allowed) return 0;
    onRefused();
    return decision.retryAtMs - now;
  };
}
