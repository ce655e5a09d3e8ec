import { randomUnit, type Random } from '../../base/random.ts';

export type Spacing = 'even' | 'poisson';

export interface ScheduleOptions {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly spacing: Spacing;
  readonly random: Random;
}

/**
 * When work is to begin, in milliseconds from the start. It is decided before anything is sent, so a slow server is
 * asked as much as a fast one.
 */
export function* arrivals({ ratePerSecond, durationMs, spacing, random }: ScheduleOptions): Generator<number> {
  const meanMs = 1_000 / ratePerSecond;
  if (spacing === 'even') {
    // Computed from the count: thousands of added fractions would drift.
    for (let index = 0; index * meanMs < durationMs; index += 1) yield index * meanMs;
    return;
  }
  // 1 - u is never 0, so the logarithm is finite.
  for (let at = exponential(meanMs, random); at < durationMs; at += exponential(meanMs, random)) yield at;
}

function exponential(meanMs: number, random: Random): number {
  return -Math.log(1 - randomUnit(random)) * meanMs;
}
