import { after, type Cancel } from '../base/clock.ts';
import { randomUnit } from '../base/random.ts';
import { serializeClientMessage, type ClientMessage } from '../wire/webphone/client-message.ts';
import { HEARTBEAT, MAX_TOKEN_CHARS } from '../wire/webphone/limits.ts';
import { parseServerMessage, type ServerMessage } from '../wire/webphone/server-message.ts';
import { ClientError } from './client-error.ts';
import { BACKOFF_JITTER, CONNECT_TIMEOUT_MS, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, SILENCE_MS } from './limits.ts';
import type { ClientPorts, ClientSocket } from './ports.ts';

export interface SessionHandlers {
  /** The server knows who we are, on a new socket or by a new token. */
  connected(message: Extract<ServerMessage, { type: 'connected' }>, isNewSocket: boolean): void;
  message(message: ServerMessage): void;
  frame(packet: Uint8Array): void;
  /** The socket is gone; another one is tried. */
  lost(): void;
  /** The token is not taken; nothing is tried until there is another. */
  refused(error: ClientError): void;
}

/** What the server says of a token that no later try will change. */
const TOKEN_REFUSALS: readonly number[] = [31201, 31202, 31204, 31205, 31207];

/** The connection to the server: one socket after another, each beginning with the token. */
export class Session {
  readonly #url: string;
  readonly #ports: ClientPorts;
  readonly #handlers: SessionHandlers;
  #token: string;
  #socket: ClientSocket | undefined;
  /** `idle` wants no connection; `refused` waits for another token. */
  #state: 'idle' | 'connecting' | 'connected' | 'waiting' | 'refused' = 'idle';
  #wasConnected = false;
  #tries = 0;
  #heardAt = 0;
  #timer: Cancel | undefined;
  readonly #stopWake: Cancel;

  constructor(url: string, token: string, ports: ClientPorts, handlers: SessionHandlers) {
    this.#url = url;
    this.#token = checked(token);
    this.#ports = ports;
    this.#handlers = handlers;
    this.#stopWake = ports.onWake(() => this.#woken());
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  get token(): string {
    return this.#token;
  }

  /** Connects unless it does already. */
  start(): void {
    if (this.#state === 'idle' || this.#state === 'refused') this.#open();
  }

  updateToken(token: string): void {
    this.#token = checked(token);
    if (this.#state === 'refused') this.#open();
    else if (this.#socket !== undefined && (this.#state === 'connected' || this.#state === 'connecting'))
      this.#listen(this.#socket);
  }

  /** False while there is no connection. */
  send(message: ClientMessage): boolean {
    if (this.#state !== 'connected') return false;
    this.#socket?.send(serializeClientMessage(message));
    return true;
  }

  sendFrame(packet: Uint8Array): void {
    if (this.#state === 'connected') this.#socket?.sendFrame(packet);
  }

  stop(): void {
    this.#state = 'idle';
    this.#wasConnected = false;
    this.#tries = 0;
    this.#dropSocket();
  }

  dispose(): void {
    this.stop();
    this.#stopWake();
  }

  #open(): void {
    this.#state = 'connecting';
    this.#isOpen = false;
    this.#heardAt = this.#ports.clock.now();
    // Its handlers may be called before it is known here, and after it is forgotten.
    let current = true;
    this.#forgetSocket = () => {
      current = false;
    };
    const ours = (work: () => void): void => {
      if (current) work();
    };
    this.#arm(CONNECT_TIMEOUT_MS, () => this.#lost());
    const socket = this.#ports.openSocket(this.#url, {
      opened: () =>
        ours(() => {
          this.#isOpen = true;
          if (this.#socket !== undefined) this.#listen(this.#socket);
        }),
      text: (text) => ours(() => this.#text(text)),
      frame: (packet) =>
        ours(() => {
          this.#heardAt = this.#ports.clock.now();
          this.#handlers.frame(packet);
        }),
      closed: () => ours(() => this.#lost()),
    });
    if (current) this.#socket = socket;
  }

  #isOpen = false;
  #forgetSocket: () => void = () => undefined;

  #listen(socket: ClientSocket): void {
    if (!this.#isOpen) return;
    socket.send(serializeClientMessage({ type: 'listen', token: this.#token, userAgent: this.#ports.userAgent }));
  }

  #text(text: string): void {
    this.#heardAt = this.#ports.clock.now();
    const parsed = parseServerMessage(text);
    if (parsed.kind !== 'ok') return;
    const message = parsed.value;
    if (message.type === 'heartbeat') this.#socket?.send(HEARTBEAT);
    else if (message.type === 'connected') this.#connected(message);
    else if (message.type === 'error' && message.callsid === undefined) this.#failed(message);
    else this.#handlers.message(message);
  }

  #connected(message: Extract<ServerMessage, { type: 'connected' }>): void {
    const isNewSocket = this.#state !== 'connected';
    this.#state = 'connected';
    this.#wasConnected = true;
    this.#tries = 0;
    this.#watch();
    this.#handlers.connected(message, isNewSocket);
  }

  #failed(message: Extract<ServerMessage, { type: 'error' }>): void {
    const { error } = message;
    if (this.#state === 'connected' || !TOKEN_REFUSALS.includes(error.code)) {
      this.#handlers.message(message);
      return;
    }
    this.#state = 'refused';
    this.#wasConnected = false;
    this.#dropSocket();
    this.#handlers.refused(ClientError.fromServer(error));
  }

  /** Any message of the server shows that it is there; it sends one every few seconds. */
  #watch(): void {
    const { clock } = this.#ports;
    this.#arm(this.#heardAt + SILENCE_MS - clock.now(), () => {
      if (clock.now() - this.#heardAt >= SILENCE_MS) this.#lost();
      else this.#watch();
    });
  }

  #woken(): void {
    if (this.#state === 'waiting') {
      this.#tries = 0;
      this.#open();
    } else if (this.#state === 'connected' && this.#ports.clock.now() - this.#heardAt >= SILENCE_MS) this.#lost();
  }

  #lost(): void {
    this.#dropSocket();
    const wasConnected = this.#wasConnected;
    this.#wasConnected = false;
    this.#state = 'waiting';
    const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#tries);
    this.#tries += 1;
    this.#arm(backoffMs * (1 + BACKOFF_JITTER * (randomUnit(this.#ports.random) - 0.5)), () => this.#open());
    if (wasConnected) this.#handlers.lost();
  }

  #dropSocket(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#forgetSocket();
    this.#socket?.close();
    this.#socket = undefined;
    this.#isOpen = false;
  }

  #arm(delayMs: number, fn: () => void): void {
    this.#timer?.();
    this.#timer = after(this.#ports.clock, delayMs, fn);
  }
}

/** Pages hand on what their server answered, which may be no token at all. */
function checked(token: unknown): string {
  if (typeof token === 'string' && token.length <= MAX_TOKEN_CHARS) return token;
  const got = typeof token === 'string' ? `${token.length} characters` : token === null ? 'null' : typeof token;
  throw new ClientError(
    20101,
    `a token that is ${got}: want text of at most ${MAX_TOKEN_CHARS} characters; make an access token with a VoiceGrant on ` +
      'your server',
  );
}
