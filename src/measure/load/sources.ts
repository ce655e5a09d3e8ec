import { nodeNetwork } from '../../sip/node-network.ts';
import type { Network } from '../../base/network.ts';
import { isLoopback } from './load-options.ts';

/** 127.0.0.1 is the server's own. */
const FIRST_LOOPBACK_HOST = 2;

/**
 * Addresses to send from. On loopback each source has one of its own, so that the server's limits by address apply to
 * each; where the system has no 127.0.0.2 (macOS), and toward other machines, all share one and differ by port.
 */
export async function sourceAddresses(count: number, server: string): Promise<readonly string[]> {
  if (isLoopback(server) && server.startsWith('127.')) {
    const addresses = Array.from({ length: count }, (_, index) => `127.0.0.${FIRST_LOOPBACK_HOST + index}`);
    if (await mayBind(addresses.at(-1) ?? server)) return addresses;
  }
  const own = await nodeNetwork.routeTo(server);
  return Array.from({ length: count }, () => own);
}

/** The system's network, with connections that leave from this address. */
export function networkFrom(address: string): Network {
  return {
    ...nodeNetwork,
    connect: (to, options) => nodeNetwork.connect(to, { ...options, from: address }),
  };
}

async function mayBind(address: string): Promise<boolean> {
  try {
    const socket = await nodeNetwork.bindDatagram({ address, port: 0 });
    await socket.close();
    return true;
  } catch {
    return false;
  }
}
