import { randomHex, type Random } from './random.ts';

/** Resource id of the REST API: two letters and 32 lower-case hexadecimal digits. */
export type Sid<Prefix extends string = string> = `${Prefix}${string}` & { readonly sidOf: Prefix };

export type AccountSid = Sid<'AC'>;
export type CallSid = Sid<'CA'>;

const RANDOM_BYTES = 16;

export function newSid<Prefix extends string>(prefix: Prefix, random: Random): Sid<Prefix> {
  return `${prefix}${randomHex(random, RANDOM_BYTES)}` as Sid<Prefix>;
}

/** The only way from untrusted text to a sid; undefined when the form is not prefix + 32 hexadecimal digits. */
export function parseSid<Prefix extends string>(prefix: Prefix, text: string): Sid<Prefix> | undefined {
  if (!text.startsWith(prefix) || !/^[0-9a-f]{32}$/.test(text.slice(prefix.length))) return undefined;
  return text as Sid<Prefix>;
}
