import { sleep } from '../../base/clock.ts';
import type { LoadContext } from './scenario.ts';
import type { DoorAnswer } from './server-door.ts';

const TRIES = 120;
const WAIT_MS = 500;
const TOO_MANY = 429;

/** Asks again while the server says "too many requests": what prepares or checks a run is no part of its load. */
export async function patiently(
  { clock }: Pick<LoadContext, 'clock'>,
  ask: () => Promise<DoorAnswer>,
): Promise<DoorAnswer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.status !== TOO_MANY || tries === TRIES) return answer;
    await sleep(clock, WAIT_MS);
  }
}
