import type { DatagramSocket } from '../base/network.ts';
import type { DatagramNetwork } from './datagrams.ts';
import { MediaError } from './media-error.ts';

/** UDP ports for RTP, both ends included. */
export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** RTP on an even port, RTCP on the odd one above it (RFC 3550 11). */
export interface SocketPair {
  readonly rtp: DatagramSocket;
  readonly rtcp: DatagramSocket;
}

/** A port of the range that is nobody else's until it is released. */
export interface ClaimedPort {
  readonly port: number;
  release(): void;
}

const HIGHEST_PORT = 65_535;

/** Hands out pairs of ports in turn, so that a late packet of an old call does not reach a new one. */
export class PortAllocator {
  readonly #network: DatagramNetwork;
  readonly #range: PortRange;
  readonly #firstEven: number;
  readonly #pairs: number;
  readonly #taken = new Set<number>();
  #next = 0;

  /** @throws RangeError when the range holds no even port with the odd one above it. */
  constructor(network: DatagramNetwork, range: PortRange) {
    this.#network = network;
    this.#range = range;
    this.#firstEven = range.low + (range.low % 2);
    this.#pairs = Math.floor((range.high - this.#firstEven + 1) / 2);
    if (this.#pairs < 1 || range.low < 1 || range.high > HIGHEST_PORT) {
      throw new RangeError(`RTP ports ${range.low}-${range.high}: want at least one even port and the one above it`);
    }
  }

  /** Binds the next free pair at `address`. Rejects with MediaError `no-ports` when every pair is taken. */
  async open(address: string): Promise<SocketPair> {
    let lastError: unknown;
    for (let tried = 0; tried < this.#pairs; tried += 1) {
      const port = this.#firstEven + 2 * this.#next;
      this.#next = (this.#next + 1) % this.#pairs;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      try {
        return await this.#bindPair(address, port);
      } catch (error) {
        this.#taken.delete(port);
        lastError = error;
        if (!isTaken(error)) break;
      }
    }
    const { low, high } = this.#range;
    const why = lastError instanceof Error ? ` (${lastError.message})` : '';
    throw new MediaError(
      'no-ports',
      `no free pair of RTP ports ${low}-${high} at ${address}${why}: widen the RTP range`,
      {
        cause: lastError,
      },
    );
  }

  /** A free pair's even port for somebody who binds it himself. Rejects as `open` does. */
  async claim(address: string): Promise<ClaimedPort> {
    const { rtp, rtcp } = await this.open(address);
    await Promise.all([rtp.close(), rtcp.close()]);
    const { port } = rtp.local;
    return { port, release: () => void this.#taken.delete(port) };
  }

  async #bindPair(address: string, port: number): Promise<SocketPair> {
    const rtp = await this.#network.bindDatagram({ address, port });
    try {
      const rtcp = await this.#network.bindDatagram({ address, port: port + 1 });
      return { rtp, rtcp };
    } catch (error) {
      await rtp.close();
      throw error;
    }
  }

  /** Closes both sockets and makes their ports free again. */
  async close(pair: SocketPair): Promise<void> {
    await Promise.all([pair.rtp.close(), pair.rtcp.close()]);
    this.#taken.delete(pair.rtp.local.port);
  }
}

function isTaken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EADDRINUSE' || code === 'EACCES';
}
