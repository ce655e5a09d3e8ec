import { BACKSLASH, everyCode, isParameterValueCode, isTokenCode, QUOTE, skipBlanks, skipToken } from './characters.ts';

/** `;name=value` behind a header value. Names are lower case (they are compared without case, RFC 3261 7.3.1). */
export interface Parameter {
  readonly name: string;
  /** Without quotes and escapes; undefined for a flag such as `lr`. */
  readonly value?: string;
}

export type Parameters = readonly Parameter[];

/** Value of a parameter: undefined when it is missing, the empty string when it is a flag. */
export function parameter(parameters: Parameters, name: string): string | undefined {
  for (const each of parameters) if (each.name === name) return each.value ?? '';
  return undefined;
}

export function hasParameter(parameters: Parameters, name: string): boolean {
  return parameters.some((each) => each.name === name);
}

/** The list with `name` set: in its place when it was there, else at the end. */
export function withParameter(parameters: Parameters, name: string, value?: string): Parameters {
  const changed: Parameter = value === undefined ? { name } : { name, value };
  if (!hasParameter(parameters, name)) return [...parameters, changed];
  return parameters.map((each) => (each.name === name ? changed : each));
}

export function withoutParameter(parameters: Parameters, name: string): Parameters {
  return parameters.filter((each) => each.name !== name);
}

const NO_PARAMETERS: Parameters = [];

/** Parameters of one header value; what has more is refused. */
const MAX_PARAMETERS = 64;

/**
 * Parses `;a=b;c` from `from` to the end of the text; undefined when anything else stands there (`;;` too). A name that
 * comes twice is refused (7.3.1): two readers could believe different tags or branches.
 */
export function parseParameters(text: string, from = 0): Parameters | undefined {
  let at = skipBlanks(text, from);
  if (at === text.length) return NO_PARAMETERS;
  const parameters: Parameter[] = [];
  while (at < text.length) {
    if (text[at] !== ';') return undefined;
    const nameStart = skipBlanks(text, at + 1);
    const nameEnd = skipToken(text, nameStart);
    if (nameEnd === nameStart) return undefined;
    const name = text.slice(nameStart, nameEnd).toLowerCase();
    if (parameters.length === MAX_PARAMETERS || hasParameter(parameters, name)) return undefined;
    at = skipBlanks(text, nameEnd);
    if (text[at] !== '=') {
      parameters.push({ name });
      continue;
    }
    const value = readValue(text, skipBlanks(text, at + 1));
    if (value === undefined) return undefined;
    parameters.push({ name, value: value.text });
    at = skipBlanks(text, value.end);
  }
  return parameters;
}

/** A token, host or quoted string (gen-value, 25.1). An empty unquoted value is refused. */
function readValue(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  if (text.charCodeAt(start) === QUOTE) return readQuoted(text, start);
  let end = start;
  while (end < text.length && isParameterValueCode(text.charCodeAt(end))) end += 1;
  return end === start ? undefined : { text: text.slice(start, end), end };
}

/** A quoted string that begins at `start`; undefined when it has no end. */
export function readQuoted(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let value = '';
  let plain = start + 1;
  for (let at = plain; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return { text: value + text.slice(plain, at), end: at + 1 };
    if (code !== BACKSLASH) continue;
    value += text.slice(plain, at);
    plain = at + 1;
    at += 1;
  }
  return undefined;
}

/** The text as a quoted string. */
export function quoteString(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export function formatParameters(parameters: Parameters): string {
  let text = '';
  for (const { name, value } of parameters) text += value === undefined ? `;${name}` : `;${name}=${formatValue(value)}`;
  return text;
}

function formatValue(value: string): string {
  return value.length > 0 && everyCode(value, isBareCode) ? value : quoteString(value);
}

function isBareCode(code: number): boolean {
  // `[`, `]` and `:` belong to hosts (received=[2001:db8::1]).
  return isTokenCode(code) || code === 0x5b || code === 0x5d || code === 0x3a;
}

/**
 * Splits a header value at its commas, not inside quotes or `<>` (7.3.1). Pieces are trimmed; empty ones are kept, so
 * that the parser of the elements refuses them. An unclosed quote or bracket runs to the end.
 */
export function splitCommas(value: string): readonly string[] {
  const comma = value.indexOf(',');
  if (comma < 0) return [value];
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (quoted) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE && !bracketed) quoted = true;
    else if (code === 0x3c) bracketed = true;
    else if (code === 0x3e) bracketed = false;
    else if (code === 0x2c && !bracketed) {
      pieces.push(value.slice(start, at).trim());
      start = at + 1;
    }
  }
  pieces.push(value.slice(start).trim());
  return pieces;
}

/** Elements of all lines of a list header, in order; empty elements are left out. For Require, Allow, Supported. */
export function tokenList(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => splitCommas(value)).filter((each) => each.length > 0);
}
