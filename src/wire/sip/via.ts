import { isBlankCode, skipBlanks, skipToken } from './characters.ts';
import { formatHostPort, parseHostPort, type HostPort } from './host.ts';
import { formatParameters, parameter, parseParameters, splitCommas, type Parameters } from './parameters.ts';

/** What every branch of this protocol begins with (RFC 3261 8.1.1.7). */
export const BRANCH_COOKIE = 'z9hG4bK';

/** One hop: `SIP/2.0/UDP host:port;branch=…` (RFC 3261 20.42). */
export interface Via extends HostPort {
  /** Of the protocol, `2.0`. */
  readonly version: string;
  /** Upper case: UDP, TCP, TLS, WS, WSS, or what came. */
  readonly transport: string;
  readonly parameters: Parameters;
}

export function parseVia(value: string): Via | undefined {
  const name = readPart(value, 0);
  const version = name === undefined ? undefined : readPart(value, skipSlash(value, name.end));
  const transport = version === undefined ? undefined : readPart(value, skipSlash(value, version.end));
  if (name === undefined || version === undefined || transport === undefined) return undefined;
  if (name.text.toUpperCase() !== 'SIP' || !isBlankCode(value.charCodeAt(transport.end))) return undefined;
  const semicolon = value.indexOf(';', transport.end);
  const sentBy = value.slice(skipBlanks(value, transport.end), semicolon < 0 ? value.length : semicolon);
  const hostPort = parseHostPort(sentBy.trimEnd());
  const parameters = semicolon < 0 ? [] : parseParameters(value, semicolon);
  if (hostPort === undefined || parameters === undefined) return undefined;
  return { version: version.text, transport: transport.text.toUpperCase(), ...hostPort, parameters };
}

function readPart(text: string, from: number): { readonly text: string; readonly end: number } | undefined {
  const start = from < 0 ? from : skipBlanks(text, from);
  const end = from < 0 ? from : skipToken(text, start);
  return end === start ? undefined : { text: text.slice(start, end), end };
}

/** Position behind a slash with blanks around it; -1 when there is none. */
function skipSlash(text: string, from: number): number {
  const at = skipBlanks(text, from);
  return text[at] === '/' ? at + 1 : -1;
}

export function formatVia(via: Via): string {
  return `SIP/${via.version}/${via.transport} ${formatHostPort(via)}${formatParameters(via.parameters)}`;
}

/** Every hop of every Via line, top first; undefined when one is broken. */
export function parseViaList(values: readonly string[]): readonly Via[] | undefined {
  const hops: Via[] = [];
  for (const value of values)
    for (const piece of splitCommas(value)) {
      const via = parseVia(piece);
      if (via === undefined) return undefined;
      hops.push(via);
    }
  return hops;
}

/** Only the first hop: what a server and a client look at. */
export function parseTopVia(values: readonly string[]): Via | undefined {
  const first = values[0];
  return first === undefined ? undefined : parseVia(splitCommas(first)[0] as string);
}

/** The branch; undefined without one. */
export function branchOf(via: Via): string | undefined {
  return parameter(via.parameters, 'branch') || undefined;
}

/** Whether the branch identifies its transaction alone (17.2.3); the bare cookie does not. */
export function isUniqueBranch(branch: string | undefined): boolean {
  return branch !== undefined && branch.length > BRANCH_COOKIE.length && branch.startsWith(BRANCH_COOKIE);
}
