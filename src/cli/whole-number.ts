import { InvalidArgumentError } from 'commander';
import { quoted } from '../base/parsed.ts';

/** Reads the value of an option that counts something. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`got ${quoted(text)}; want a whole number, e.g. 10`);
  return Number(text);
}

/** Reads the value of an option that measures something. */
export function positiveNumber(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) {
    throw new InvalidArgumentError(`got ${quoted(text)}; want a number, e.g. 1 or 0.5`);
  }
  return Number(text);
}
