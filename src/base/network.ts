/** An IP address literal (no brackets) and a port, 0-65535. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A bound UDP socket. Handlers are set once, by the owner, right after binding. */
export interface DatagramSocket {
  readonly local: Endpoint;
  /** Fire and forget; a failure arrives at `onError` with the address it was meant for. */
  send(bytes: Uint8Array, to: Endpoint): void;
  onMessage(handler: (bytes: Uint8Array, from: Endpoint) => void): void;
  onError(handler: (error: Error, to?: Endpoint) => void): void;
  close(): Promise<void>;
}

/** One TCP-like connection. */
export interface StreamConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** False when more than the socket's high-water mark is waiting. */
  write(bytes: Uint8Array): boolean;
  onData(handler: (bytes: Uint8Array) => void): void;
  /** Fires once, with the error when there was one. */
  onClose(handler: (error?: Error) => void): void;
  /** Sends what is waiting, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

export interface StreamListener {
  readonly local: Endpoint;
  onConnection(handler: (connection: StreamConnection) => void): void;
  /** Stops listening; connections stay with their owners. */
  close(): Promise<void>;
}

/** What an engine may ask of the network. Port 0 means any free port. Failures reject with the system's error. */
export interface Network {
  bindDatagram(at: Endpoint): Promise<DatagramSocket>;
  listen(at: Endpoint): Promise<StreamListener>;
  /** `from`: the local address to connect from; default the route's own. */
  connect(to: Endpoint, options: { readonly timeoutMs: number; readonly from?: string }): Promise<StreamConnection>;
  /** The local address that the system's routes choose toward `address`; nothing is sent. */
  routeTo(address: string): Promise<string>;
}

/** `host:port`, with brackets around IPv6. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.address.includes(':')
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}
