import { useEffect, useState } from 'react';
import { after, systemClock } from '../../base/clock.ts';

/** The time, again and again. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => systemClock.now());
  useEffect(() => after(systemClock, everyMs, () => setNow(systemClock.now())), [now, everyMs]);
  return now;
}
