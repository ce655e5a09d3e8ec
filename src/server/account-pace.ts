import type { Clock } from '../base/clock.ts';
import { PaceLimiter } from '../lane/pace.ts';

/** Requests per second of each account, with a second's worth at once after a pause. Gives 0, or milliseconds to wait. */
export function accountPace(
  requestsPerSecond: number,
  clock: Clock,
  onRefused: () => void = () => undefined,
): (accountSid: string) => number {
  const limiters = new Map<string, PaceLimiter>();
  return (accountSid) => {
    let limiter = limiters.get(accountSid);
    if (limiter === undefined) {
      limiter = new PaceLimiter({
        ratePerSecond: requestsPerSecond,
        burst: Math.max(1, Math.floor(requestsPerSecond)),
      });
      limiters.set(accountSid, limiter);
    }
    const now = clock.now();
    const decision = limiter.take(now);
    if (decision.allowed) return 0;
    onRefused();
    return decision.retryAtMs - now;
  };
}
