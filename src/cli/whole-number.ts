import { InvalidArgumentError } from 'commander';
import { quoted } from '../base/parsed.ts';

/** Reads the value of an option that counts something. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`got ${quoted(text)}; want a whole number, e.g. 10`);
  return Number(text);
}

/** Reads the value of an option that counts from 1 up to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`got ${quoted(text)}; want a whole number from 1 to ${most}`);
  };
}

/** Reads the value of an option that measures something, and may be nothing. */
export function numberFromZero(text: string): number {
  const number = decimal(text);
  if (number !== undefined) return number;
  throw new InvalidArgumentError(`got ${quoted(text)}; want a number from 0 on, e.g. 1 or 0.5`);
}

/** Reads the value of an option that measures something. */
export function positiveNumber(text: string): number {
  const number = decimal(text) ?? 0;
  if (number > 0) return number;
  throw new InvalidArgumentError(`got ${quoted(text)}; want a number above 0, e.g. 1 or 0.5`);
}

function decimal(text: string): number | undefined {
  return /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : undefined;
}
