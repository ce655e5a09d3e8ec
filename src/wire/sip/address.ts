import { isAll, isControlCode, isTokenCode, parseWholeNumber, skipBlanks, trimBlanks, URI } from './characters.ts';
import {
  formatParameters,
  parameter,
  parseParameters,
  quoteString,
  readQuoted,
  splitCommas,
  type Parameters,
} from './parameters.ts';
import { uriScheme } from './uri.ts';

/** `"Name" <uri>;parameters`, as From, To, Contact, Route, Refer-To have it (RFC 3261 20.10). */
export interface NameAddress {
  /** Without quotes and escapes. */
  readonly displayName?: string;
  /** As text, since any scheme is legal; parse it where a SIP URI is wanted. */
  readonly uri: string;
  /** Of the header, not of the URI. */
  readonly parameters: Parameters;
}

/** One name-addr or addr-spec with parameters; undefined when it is neither. */
export function parseAddress(value: string): NameAddress | undefined {
  const text = trimBlanks(value);
  if (text.startsWith('"')) {
    const name = readQuoted(text, 0);
    const open = name === undefined ? -1 : skipBlanks(text, name.end);
    return name !== undefined && text[open] === '<' ? bracketed(text, open, name.text) : undefined;
  }
  const open = text.indexOf('<');
  if (open < 0) return bare(text);
  const displayName = trimBlanks(text.slice(0, open));
  for (let index = 0; index < displayName.length; index += 1)
    if (!isDisplayCode(displayName.charCodeAt(index)))
      return open > 0 && isBareWithBracketLater(text) ? bare(text) : undefined;
  return bracketed(text, open, displayName);
}

/** `sip:a@b;x="<"`: the bracket is in a quoted parameter. */
function isBareWithBracketLater(text: string): boolean {
  const quote = text.indexOf('"');
  return quote >= 0 && quote < text.indexOf('<') && uriScheme(text) !== undefined;
}

/** Tokens and blanks (25.1); other characters that cannot be mistaken for structure are forgiven, commas are not. */
function isDisplayCode(code: number): boolean {
  return isTokenCode(code) || (!isControlCode(code) && !DISPLAY_STRUCTURE.includes(code)) || code === 9;
}
const DISPLAY_STRUCTURE = Array.from('",;:<>\\', (char) => char.charCodeAt(0));

function bracketed(text: string, open: number, displayName: string): NameAddress | undefined {
  const close = text.indexOf('>', open);
  const uri = text.slice(open + 1, close);
  const parameters = close < 0 ? undefined : parseParameters(text, close + 1);
  if (parameters === undefined || !isUriText(uri)) return undefined;
  return displayName === '' ? { uri, parameters } : { displayName, uri, parameters };
}

/** Without `<>` everything from the first `;` belongs to the header, and `,` and `?` are forbidden (20.10). */
function bare(text: string): NameAddress | undefined {
  const semicolon = text.indexOf(';');
  const uri = trimBlanks(semicolon < 0 ? text : text.slice(0, semicolon));
  const parameters = semicolon < 0 ? [] : parseParameters(text, semicolon);
  if (parameters === undefined || !isUriText(uri) || uri.includes(',') || uri.includes('?')) return undefined;
  return { uri, parameters };
}

/** A scheme, and no blank, control, quote or bracket anywhere. */
function isUriText(text: string): boolean {
  return isAll(text, URI) && uriScheme(text) !== undefined;
}

/** Always with `<>`, so that URI parameters stay the URI's. */
export function formatAddress({ displayName, uri, parameters }: NameAddress): string {
  const name = displayName === undefined || displayName === '' ? '' : `${quoteString(displayName)} `;
  return `${name}<${uri}>${formatParameters(parameters)}`;
}

/** All elements of all lines of a header (Route, Record-Route, Path), in order; undefined when one of them is broken. */
export function parseAddressList(values: readonly string[]): readonly NameAddress[] | undefined {
  const addresses: NameAddress[] = [];
  for (const value of values)
    for (const piece of splitCommas(value)) {
      const address = parseAddress(piece);
      if (address === undefined) return undefined;
      addresses.push(address);
    }
  return addresses;
}

/** Contact lines of a message: `*` (which must stand alone, 10.2.2), a list, or undefined when broken. */
export function parseContacts(values: readonly string[]): '*' | readonly NameAddress[] | undefined {
  if (values.length === 1 && trimBlanks(values[0] as string) === '*') return '*';
  return parseAddressList(values);
}

/** The tag of a From or To; undefined without one. */
export function tagOf(address: NameAddress): string | undefined {
  return parameter(address.parameters, 'tag') || undefined;
}

/** Preference of a contact, 0 to 1; 1 when it names none (10.2.1.2), undefined when it is no q-value. */
export function contactPreference(address: NameAddress): number | undefined {
  const text = parameter(address.parameters, 'q');
  if (text === undefined) return 1;
  if (!/^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text)) return undefined;
  return Number(text);
}

const MAX_EXPIRES_SECONDS = 4_294_967_295;
const MALFORMED_EXPIRES_SECONDS = 3600;

/** Seconds of `expires`; undefined when the contact names none. Malformed means 3600 (20.10), too large the largest. */
export function contactExpires(address: NameAddress): number | undefined {
  const text = parameter(address.parameters, 'expires');
  if (text === undefined) return undefined;
  const seconds = parseWholeNumber(text, Number.POSITIVE_INFINITY);
  return seconds === undefined ? MALFORMED_EXPIRES_SECONDS : Math.min(seconds, MAX_EXPIRES_SECONDS);
}
