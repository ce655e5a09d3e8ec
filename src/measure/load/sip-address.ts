import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseHostPort } from '../../wire/sip/host.ts';
import { LoadError } from './load-error.ts';
import type { LoadContext } from './scenario.ts';

/** Where a server's SIP listens, as seen from here. `listens` is what the server says, `url` where its HTTP door is. */
export async function sipAddress(listens: string, url: string): Promise<LoadContext['sip']> {
  const parsed = parseHostPort(listens);
  if (parsed?.port === undefined) throw new LoadError('refused', `the server does not say where its SIP listens`);
  // A door that is open on every address is reached where the HTTP door is.
  const isEverywhere = parsed.host === '0.0.0.0' || parsed.host === '::' || parsed.host === '[::]';
  const name = withoutBrackets(isEverywhere ? new URL(url).hostname : parsed.host);
  const address = isIP(name) === 0 ? (await lookup(name)).address : name;
  return { address, port: parsed.port };
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
