import { randomHex, type Random } from '../base/random.ts';

const KEY = 'tandem.identity';
const PATTERN = /^browser-[0-9a-f]{6}$/;

/** The name under which this tab is called; it stays over a reload, and two tabs have two. */
export function identityOfTab(storage: Pick<Storage, 'getItem' | 'setItem'>, random: Random): string {
  const known = storage.getItem(KEY);
  if (known !== null && PATTERN.test(known)) return known;
  const made = `browser-${randomHex(random, 3)}`;
  storage.setItem(KEY, made);
  return made;
}
