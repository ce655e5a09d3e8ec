import { randomInteger } from '../../base/random.ts';
import { inParallel } from './clean-up.ts';
import { patiently } from './patience.ts';
import type { LoadContext } from './scenario.ts';

const AT_A_TIME = 8;
/** Area code 999 is nobody's in the North American plan. */
const PREFIX = '+1999';
const SEVEN_DIGITS = 10_000_000;

/** `count` numbers that follow each other, from a random one on. */
export function numberRange(count: number, { random }: Pick<LoadContext, 'random'>): (index: number) => string {
  const first = randomInteger(random, 0, SEVEN_DIGITS - count - 1);
  return (index) => `${PREFIX}${String(first + index).padStart(7, '0')}`;
}

/** Makes numbers of the main account that go with the run. */
export async function makeNumbers(
  numbers: readonly string[],
  context: LoadContext,
  fields: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { door, cleanUp, mark, signal } = context;
  const sids: string[] = [];
  cleanUp.add('temporary numbers', () =>
    inParallel(sids, AT_A_TIME, async (sid) => {
      const removed = patiently(context, () => door.rest('DELETE', `/IncomingPhoneNumbers/${sid}.json`));
      await door.wanted(removed, `number ${sid} be removed`);
    }),
  );
  await inParallel(numbers, AT_A_TIME, async (number) => {
    if (signal.aborted) return;
    const form = { PhoneNumber: number, FriendlyName: mark, ...fields };
    const made = patiently(context, () => door.rest('POST', '/IncomingPhoneNumbers.json', form));
    sids.push((await door.wanted<{ readonly sid: string }>(made, 'a temporary number be made')).sid);
  });
}
