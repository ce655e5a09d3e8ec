import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { errorText } from '../base/errors.ts';
import type { HoldBack } from '../base/hold-back.ts';
import type { Logger } from '../base/logger.ts';
import { isLoopback } from './authentication.ts';
import type { WebphoneAgent } from '../webphone/webphone.ts';

/** Where the vendor's browser SDK connects. */
export const SIGNALLING_PATH = '/signal';
/** The longest message of the protocol, with room for the characters of a description that take more than a byte. */
const MAX_PAYLOAD_BYTES = 262_144;
/** Open sockets of one address: a school behind one NAT fits, a flood does not. */
const MAX_SOCKETS_PER_ADDRESS = 500;
const HEADER_LIMIT_CHARS = 256;
const MAX_KNOWN_ADDRESSES = 20_000;

export interface SignallingOptions {
  readonly webphones: WebphoneAgent;
  readonly log: Logger;
  /** Tokens that nobody here signed, by address. */
  readonly forgedTokens: HoldBack;
  /** Addresses that are never held back; default: this machine's own, where a proxy stands for many. */
  readonly isExempt?: (address: string) => boolean;
  readonly maxSocketsPerAddress?: number;
}

/** Takes WebSockets of browser phones at `/signal`; every other upgrade is refused. */
export function serveSignalling(app: FastifyInstance, options: SignallingOptions): void {
  const { forgedTokens, isExempt = isLoopback, maxSocketsPerAddress = MAX_SOCKETS_PER_ADDRESS } = options;
  const known = new KnownAddresses();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD_BYTES, perMessageDeflate: false });
  const perAddress = new Map<string, number>();
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const address = plainAddress(request.socket.remoteAddress);
    socket.on('error', () => socket.destroy());
    if ((request.url ?? '').split('?', 1)[0] !== SIGNALLING_PATH) return refuse(socket, 404, 'Not Found');
    const open = perAddress.get(address) ?? 0;
    if (open >= maxSocketsPerAddress) return refuse(socket, 429, 'Too Many Requests');
    // Browsers behind the same NAT as one that was admitted are not kept out.
    const isHeldBack = !isExempt(address) && !known.has(address) && forgedTokens.drops(address);
    if (isHeldBack) return refuse(socket, 429, 'Too Many Requests');
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
      webSocket.once('close', () => {
        const left = (perAddress.get(address) ?? 1) - 1;
        if (left > 0) perAddress.set(address, left);
        else perAddress.delete(address);
      });
      join(webSocket, request, {
        ...options,
        admitted: () => known.add(address),
        refused: () => {
          if (!isExempt(address)) forgedTokens.fail(address);
        },
      });
    });
  });
  // Before the server is closed, which waits for every connection that it has handed over.
  app.addHook('preClose', async () => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  });
}

/** Addresses from which a good token came, latest last. */
class KnownAddresses {
  readonly #addresses = new Set<string>();

  has(address: string): boolean {
    return this.#addresses.has(address);
  }

  add(address: string): void {
    this.#addresses.delete(address);
    const oldest = this.#addresses.size < MAX_KNOWN_ADDRESSES ? undefined : this.#addresses.values().next().value;
    if (oldest !== undefined) this.#addresses.delete(oldest);
    this.#addresses.add(address);
  }
}

interface Joining extends SignallingOptions {
  admitted(): void;
  refused(): void;
}

function join(webSocket: WebSocket, request: IncomingMessage, options: Joining): void {
  const { webphones, log, admitted, refused } = options;
  const remoteAddress = plainAddress(request.socket.remoteAddress);
  const device = webphones.connect({
    remoteAddress,
    localAddress: plainAddress(request.socket.localAddress),
    host: (request.headers.host ?? '').slice(0, HEADER_LIMIT_CHARS),
    bufferedBytes: () => webSocket.bufferedAmount,
    send: (text) => webSocket.send(text),
    sendFrame: (frame) => webSocket.send(frame),
    close: (code, reason) => webSocket.close(code, reason),
    admitted,
    refused,
  });
  webSocket.on('message', (data: RawData, isBinary) => {
    const bytes = bytesOf(data);
    if (isBinary) device.frame(bytes);
    else device.text(bytes.toString('utf8'));
  });
  webSocket.once('close', () => device.closed());
  webSocket.on('error', (error) => {
    log.info({ remoteAddress, error: errorText(error) }, 'the socket of a browser failed');
  });
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** IPv4 as such, also where a socket of both kinds shows it as IPv6. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

function refuse(socket: Duplex, status: number, reason: string): void {
  // No limit of the server holds for a socket that it handed over: a client that keeps its half would keep all of it.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
