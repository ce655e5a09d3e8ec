import type { DatagramSocket, Endpoint } from '../../base/network.ts';
import { formatEndpoint } from '../../base/network.ts';
import type { DatagramNetwork } from '../datagrams.ts';

type Handler = (bytes: Uint8Array, from: Endpoint) => void;

/** Datagrams within one test: nothing is lost or late, and a port is taken once. */
export class MemoryDatagrams implements DatagramNetwork {
  readonly #bound = new Map<string, Handler>();

  bindDatagram(local: Endpoint): Promise<DatagramSocket> {
    const name = formatEndpoint(local);
    if (this.#bound.has(name)) {
      return Promise.reject(Object.assign(new Error(`${name} is taken`), { code: 'EADDRINUSE' }));
    }
    this.#bound.set(name, () => undefined);
    return Promise.resolve({
      local,
      send: (bytes, to) => queueMicrotask(() => this.#bound.get(formatEndpoint(to))?.(bytes, local)),
      onMessage: (handler) => this.#bound.set(name, handler),
      onError: () => undefined,
      close: () => {
        this.#bound.delete(name);
        return Promise.resolve();
      },
    });
  }
}
