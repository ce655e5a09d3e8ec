import type { Endpoint, StreamConnection } from './network.ts';
import type { VirtualLink } from './virtual-link.ts';

const HIGH_WATER_BYTES = 65_536;

/** Both ends of a connection, each way in order. */
export function virtualStreamPair(
  link: VirtualLink,
  client: Endpoint,
  server: Endpoint,
): [VirtualStream, VirtualStream] {
  const near = new VirtualStream(link, client, server);
  const far = new VirtualStream(link, server, client);
  near.peer = far;
  far.peer = near;
  return [near, far];
}

export class VirtualStream implements StreamConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  peer: VirtualStream | undefined;
  readonly #link: VirtualLink;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #underWayBytes = 0;
  // Nothing of a stream overtakes what was sent before it.
  #lastArrivalMs = -Infinity;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #onClose: ((error?: Error) => void) | undefined;
  #unread: Uint8Array[] = [];

  constructor(link: VirtualLink, local: Endpoint, remote: Endpoint) {
    this.#link = link;
    this.local = local;
    this.remote = remote;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== 'open') return false;
    const copy = bytes.slice();
    this.#underWayBytes += copy.length;
    this.#arrive(() => {
      this.#underWayBytes -= copy.length;
      this.peer?.receive(copy);
    });
    return this.#underWayBytes <= HIGH_WATER_BYTES;
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler;
    for (const bytes of this.#unread.splice(0)) handler(bytes);
  }

  onClose(handler: (error?: Error) => void): void {
    this.#onClose = handler;
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#arrive(() => this.peer?.receiveEnd());
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    const wasOpen = this.#state === 'open';
    this.#close();
    if (wasOpen) this.#arrive(() => this.peer?.receiveEnd());
  }

  receive(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    if (this.#onData === undefined) this.#unread.push(bytes);
    else this.#onData(bytes);
  }

  /** The other side has ended: what this side still sends goes out, then it is closed too. */
  receiveEnd(): void {
    if (this.#state === 'closed') return;
    this.end();
    this.#close();
  }

  #arrive(deliver: () => void): void {
    const { clock } = this.#link;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, clock.now() + this.#link.delayMs());
    clock.at(this.#lastArrivalMs, deliver);
  }

  #close(): void {
    this.#state = 'closed';
    this.#onClose?.();
  }
}
