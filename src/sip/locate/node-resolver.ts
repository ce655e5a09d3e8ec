import { lookup, resolveSrv } from 'node:dns/promises';
import type { Resolver, SrvRecord } from './resolver.ts';

/** The system's resolver: SRV from its name servers, addresses with its hosts file. */
export const nodeResolver: Resolver = { srv, addresses };

async function srv(name: string): Promise<readonly SrvRecord[]> {
  try {
    const records = await resolveSrv(name);
    return records.map(({ name: target, port, priority, weight }) => ({ target, port, priority, weight }));
  } catch {
    // RFC 3263 4.2: without SRV records, or without a name server at all, the address records decide.
    return [];
  }
}

async function addresses(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map((found) => found.address);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTFOUND') return [];
    throw error;
  }
}
