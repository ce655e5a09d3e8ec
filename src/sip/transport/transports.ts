import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import {
  formatEndpoint,
  type DatagramSocket,
  type Endpoint,
  type Network,
  type StreamListener,
} from '../../base/network.ts';
import type { Random } from '../../base/random.ts';
import { parseDatagram } from '../../wire/sip/parse.ts';
import { serializeMessage } from '../../wire/sip/serialize.ts';
import type { SipWatcher } from '../user-agent.ts';
import type { SipMessage } from '../../wire/sip/message.ts';
import type { Flow, Hop } from './hop.ts';
import { LocalAddresses } from './local-addresses.ts';
import { StreamTable, type StreamLimits } from './stream-table.ts';
import type { StreamTimes } from './stream-connection.ts';

/** How often a free UDP port is tried whose TCP twin is taken. */
const MAX_BIND_ATTEMPTS = 20;

export interface TransportsOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** UDP and TCP share it; port 0 means any port that is free for both. */
  readonly listen: Endpoint;
  /** Address for Via, Contact and SDP instead of the route's own. */
  readonly advertise?: string;
  readonly streamLimits?: StreamLimits;
  readonly streamTimes?: StreamTimes;
  /** Looks on at every message; must not throw. */
  readonly watch?: SipWatcher;
}

/** UDP and TCP on one port: messages in with the flow they came by, bytes out to a hop. */
export class Transports {
  readonly addresses: { readonly udp: Endpoint; readonly tcp: Endpoint };
  readonly #options: TransportsOptions;
  readonly #udp: DatagramSocket;
  readonly #listener: StreamListener;
  readonly #streams: StreamTable;
  readonly #local: LocalAddresses;
  #onMessage: (message: SipMessage, flow: Flow) => void = () => undefined;
  #onSendError: (hop: Hop, error: Error) => void = () => undefined;

  static async open(options: TransportsOptions): Promise<Transports> {
    const { udp, listener } = await bindBoth(options.network, options.listen);
    return new Transports(options, udp, listener);
  }

  private constructor(options: TransportsOptions, udp: DatagramSocket, listener: StreamListener) {
    this.#options = options;
    this.#udp = udp;
    this.#listener = listener;
    this.addresses = { udp: udp.local, tcp: listener.local };
    this.#local = new LocalAddresses({ ...options, bound: udp.local });
    this.#streams = new StreamTable({
      ...options,
      localFor: (connection) => this.#local.ofConnection(connection),
      ...(options.streamLimits && { limits: options.streamLimits }),
      ...(options.streamTimes && { times: options.streamTimes }),
    });
    udp.onMessage((bytes, from) => this.#receiveDatagram(bytes, from));
    udp.onError((error, to) => {
      if (to !== undefined) this.#onSendError({ transport: 'udp', remote: to }, error);
    });
    listener.onConnection((connection) => this.#streams.accept(connection));
    this.#streams.onMessage((message, flow) => this.#take(message, flow));
  }

  onMessage(handler: (message: SipMessage, flow: Flow) => void): void {
    this.#onMessage = handler;
  }

  /** The system could not send a datagram. */
  onSendError(handler: (hop: Hop, error: Error) => void): void {
    this.#onSendError = handler;
  }

  /**
   * The flow toward a hop: for a stream its connection (opened when needed), for datagrams the route's address.
   * Rejects with SipError `unreachable` or `overloaded`.
   */
  async flowTo(hop: Hop): Promise<Flow> {
    if (hop.transport === 'tcp') return (await this.#streams.open(hop)).flow;
    return { transport: 'udp', remote: hop.remote, local: await this.#local.toward(hop.remote.address) };
  }

  /** True while the connection that a flow names is open; datagrams need none. */
  isOpen(flow: Hop): boolean {
    return flow.transport === 'udp' || this.#streams.find(flow) !== undefined;
  }

  /** Sends a message that belongs to a request of this method; false when the flow's connection is gone. */
  send(bytes: Uint8Array, flow: Hop, method: string): boolean {
    if (flow.transport === 'udp') {
      this.#udp.send(bytes, flow.remote);
    } else {
      const stream = this.#streams.find(flow);
      if (stream === undefined) return false;
      stream.send(bytes);
    }
    this.#options.watch?.({ direction: 'out', remote: flow.remote, method, text: () => asText(bytes) });
    return true;
  }

  async close(): Promise<void> {
    this.#streams.close();
    await Promise.all([this.#udp.close(), this.#listener.close()]);
  }

  #receiveDatagram(bytes: Uint8Array, from: Endpoint): void {
    const local = this.#local.known(from.address);
    if (local === undefined) {
      // The first datagram of a peer waits for the system to say which of our addresses faces it.
      this.#local.toward(from.address).then(
        () => this.#receiveDatagram(bytes, from),
        (error: unknown) => this.#options.logger.debug({ error: errorText(error) }, 'no route back to a datagram'),
      );
      return;
    }
    const parsed = parseDatagram(bytes);
    if (parsed.kind === 'ok') this.#take(parsed.value, { transport: 'udp', remote: from, local });
    else if (parsed.kind === 'bad' && bytes.length > 4) {
      this.#options.logger.debug({ from: formatEndpoint(from), reason: parsed.reason }, 'dropped a datagram');
    }
  }

  #take(message: SipMessage, flow: Flow): void {
    const { watch } = this.#options;
    watch?.({
      direction: 'in',
      remote: flow.remote,
      ...(message.kind === 'request' && { method: message.method }),
      text: () => asText(serializeMessage(message)),
    });
    this.#onMessage(message, flow);
  }
}

const decoder = new TextDecoder();

function asText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** RFC 3261 18.2.1: whoever listens on UDP listens on TCP at the same port. */
async function bindBoth(
  network: Network,
  at: Endpoint,
): Promise<{ readonly udp: DatagramSocket; readonly listener: StreamListener }> {
  for (let attempt = 1; ; attempt += 1) {
    const udp = await network.bindDatagram(at);
    try {
      return { udp, listener: await network.listen({ address: at.address, port: udp.local.port }) };
    } catch (error) {
      await udp.close();
      if (at.port !== 0 || attempt === MAX_BIND_ATTEMPTS) throw error;
    }
  }
}
