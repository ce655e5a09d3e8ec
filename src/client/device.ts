import { after, type Cancel } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { randomHex } from '../base/random.ts';
import type { ClientMessage, SoundPath } from '../wire/webphone/client-message.ts';
import { MAX_PARAMETERS_CHARS } from '../wire/webphone/limits.ts';
import type { ServerMessage } from '../wire/webphone/server-message.ts';
import { asClientError } from './call-errors.ts';
import { Call, type CallHost } from './call.ts';
import { ClientError } from './client-error.ts';
import type { DeviceEvents, DeviceState } from './client-types.ts';
import { Emitter } from './emitter.ts';
import { REGISTER_TIMEOUT_MS, TOKEN_REFRESH_MS, WEBRTC_BLOCKED_MS } from './limits.ts';
import { OwedMessages } from './owed-messages.ts';
import type { ClientPorts } from './ports.ts';
import { Session } from './session.ts';

export interface EngineOptions {
  /** WebSocket address of the server's signalling. */
  readonly url: string;
  /** Lets the sound of a call go straight to another browser that allows it too, past the server. Default false. */
  readonly direct?: boolean;
  /** How long before the token's end `tokenWillExpire` is told; default 10 000. */
  readonly tokenRefreshMs?: number;
}

/** A browser phone: registered under the identity of its token, it is called and calls. */
export class DeviceEngine extends Emitter<DeviceEvents<DeviceEngine, Call>> {
  readonly #options: EngineOptions;
  readonly #ports: ClientPorts;
  readonly #session: Session;
  readonly #calls = new Set<Call>();
  #state: DeviceState = 'unregistered';
  #identity: string | undefined;
  #active: Call | undefined;
  /** Sids of calls that ended here lately: what the server still says of them is for no other call. */
  readonly #ended = new Set<string>();
  /** The page wants to be called, connected or not. */
  #wanted = false;
  /** Raised with each: a way for sound that was looked for before is not the one to register. */
  #registrations = 0;
  readonly #waiting = new Set<{ readonly for: 'connected' | 'ready' | 'offline'; done(error?: ClientError): void }>();
  readonly #owed: OwedMessages;
  #expiry: Cancel | undefined;
  #webRtcIsBlocked = false;
  #cancelUnblocking: Cancel = () => undefined;
  readonly #stopWake: Cancel;

  constructor(token: string, options: EngineOptions, ports: ClientPorts) {
    super();
    this.#options = options;
    this.#ports = ports;
    this.#owed = new OwedMessages(ports.clock, () => this.#stopWhenIdle());
    this.#session = new Session(options.url, token, ports, {
      connected: (message, isNewSocket) => this.#connected(message, isNewSocket),
      message: (message) => this.#message(message),
      frame: (packet) => this.#active?.frame(packet),
      lost: () => this.#lost(),
      refused: (error) => this.#refused(error),
    });
    // Another network may let it pass; where the page only slept, one call more tells.
    this.#stopWake = ports.onWake((why) => {
      if (why === 'network') this.#webRtcUntried();
    });
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** Of the token, once the server has taken it. */
  get identity(): string | undefined {
    return this.#identity;
  }

  get token(): string {
    return this.#session.token;
  }

  get calls(): readonly Call[] {
    return [...this.#calls];
  }

  get isBusy(): boolean {
    return this.#active !== undefined;
  }

  /** Makes this browser callable. Resolves when the server has it; afterwards it stays so over lost connections. */
  async register(): Promise<void> {
    this.#alive();
    this.#wanted = true;
    if (this.#state === 'registered') return;
    const ready = this.#until('ready');
    if (this.#session.isConnected) void this.#registerAgain();
    else {
      this.#enter('registering');
      this.#session.start();
    }
    try {
      await ready;
    } finally {
      this.#stopWhenIdle();
    }
  }

  /** It is not called any more; calls go on. */
  async unregister(): Promise<void> {
    this.#alive();
    this.#wanted = false;
    // While it registers anew the server has it from before.
    const { state } = this;
    const isTold = state !== 'unregistered' && this.#session.send({ type: 'register', audio: false, frames: false });
    if (isTold && state === 'registered') await this.#until('offline');
    else this.#enter('unregistered');
    this.#stopWhenIdle();
  }

  /** Calls the application of the token with these parameters. Resolves when the invitation is on its way. */
  async connect(options: { readonly params?: Readonly<Record<string, string>> } = {}): Promise<Call> {
    this.#alive();
    if (this.#active !== undefined) throw inCallAlready();
    const parameters = new URLSearchParams(options.params ?? {}).toString();
    if (parameters.length > MAX_PARAMETERS_CHARS)
      throw new ClientError(31100, `params of ${parameters.length} characters: want ${MAX_PARAMETERS_CHARS} at most`);
    const call = new Call(
      {
        direction: 'OUTGOING',
        callSid: `TJS${randomHex(this.#ports.random, NAME_BYTES)}`,
        parameters: {},
        customParameters: new Map(Object.entries(options.params ?? {})),
      },
      this.#host(),
    );
    this.#calls.add(call);
    this.#active = call;
    try {
      const [kind] = await Promise.all([this.#route(), this.#connection()]);
      await call.begin(kind, parameters);
      return call;
    } catch (error) {
      this.#over(call, undefined);
      throw asClientError(error);
    }
  }

  /** Goes on under a new token of the same identity; throws ClientError 20101 for what is no text. */
  updateToken(token: string): void {
    this.#alive();
    this.#session.updateToken(token);
  }

  disconnectAll(): void {
    for (const call of this.#calls) call.disconnect();
  }

  /** Hangs up and closes everything; a destroyed Device does nothing more. */
  destroy(): void {
    if (this.#state === 'destroyed') return;
    this.disconnectAll();
    this.#wanted = false;
    this.#expiry?.();
    this.#cancelUnblocking();
    this.#stopWake();
    this.#owed.clear();
    this.#session.dispose();
    this.#settle(undefined, new ClientError(31000, 'the Device was destroyed'));
    this.#state = 'destroyed';
    this.emit('destroyed');
    this.removeAllListeners();
  }

  #alive(): void {
    if (this.#state === 'destroyed') throw new ClientError(31000, 'this Device was destroyed: make a new one');
  }

  #host(): CallHost {
    const { clock, random, sounds } = this.#ports;
    return {
      ...{ clock, random, direct: this.#options.direct ?? false },
      send: (message) => this.#session.send(message),
      sendFrame: (packet) => this.#session.sendFrame(packet),
      openSound: (kind, events) => sounds.open(kind, events),
      webRtcBlocked: () => this.#webRtcBlocked(),
      accepting: (call) => {
        if (this.#active !== undefined) throw inCallAlready();
        this.#active = call;
      },
      notAccepted: (call) => {
        if (this.#active === call) this.#active = undefined;
      },
      over: (call, owed) => this.#over(call, owed),
    };
  }

  async #connection(): Promise<void> {
    if (this.#session.isConnected) return;
    const connected = this.#until('connected');
    this.#session.start();
    await connected;
  }

  #connected({ identity, ttlSeconds }: Extract<ServerMessage, { type: 'connected' }>, isNewSocket: boolean): void {
    this.#identity = identity;
    const { tokenRefreshMs = TOKEN_REFRESH_MS } = this.#options;
    this.#expiry?.();
    this.#expiry = after(this.#ports.clock, Math.max(0, ttlSeconds * 1000 - tokenRefreshMs), () =>
      this.emit('tokenWillExpire', this),
    );
    this.#settle('connected');
    for (const message of this.#owed.take()) this.#session.send(message);
    // A renewed token leaves calls as they are; a registration that ended with the old one is wanted still.
    if (isNewSocket) for (const call of this.#calls) call.socketBack();
    if (this.#wanted && (isNewSocket || this.#state !== 'registered')) void this.#registerAgain();
    // What it came for may have been to say what was owed.
    this.#stopWhenIdle();
  }

  async #registerAgain(): Promise<void> {
    this.#registrations += 1;
    const registration = this.#registrations;
    const isLatest = (): boolean => registration === this.#registrations;
    this.#enter('registering');
    try {
      const kind = await this.#route();
      if (this.#wanted && isLatest()) this.#session.send({ type: 'register', audio: true, frames: kind === 'frames' });
    } catch (error) {
      if (isLatest()) this.#fail(asClientError(error));
    }
  }

  #route(): Promise<SoundPath['kind']> {
    return this.#ports.sounds.route(this.#webRtcIsBlocked ? 'blocked' : 'untried');
  }

  #webRtcBlocked(): Promise<SoundPath['kind']> {
    this.#webRtcIsBlocked = true;
    this.#cancelUnblocking();
    this.#cancelUnblocking = after(this.#ports.clock, WEBRTC_BLOCKED_MS, () => this.#webRtcUntried());
    this.#tellRoute();
    return this.#route();
  }

  #webRtcUntried(): void {
    this.#cancelUnblocking();
    if (!this.#webRtcIsBlocked) return;
    this.#webRtcIsBlocked = false;
    this.#tellRoute();
  }

  /** Whoever calls this page has to know it too. Without a connection it is told with the next one. */
  #tellRoute(): void {
    if (this.#wanted && this.#session.isConnected) void this.#registerAgain();
  }

  #message(message: ServerMessage): void {
    switch (message.type) {
      case 'ready':
        this.#settle('ready');
        // It was asked for before the page thought better of it.
        if (this.#wanted) this.#enter('registered');
        else this.#session.send({ type: 'register', audio: false, frames: false });
        return;
      case 'offline':
        this.#enter('unregistered');
        this.#settle('offline');
        this.#stopWhenIdle();
        return;
      case 'close':
        this.#session.stop();
        this.#lost();
        return;
      case 'invite':
        this.#invited(message);
        return;
      case 'error':
        if (message.callsid === undefined) this.#fail(ClientError.fromServer(message.error));
        else this.#callOf(message.callsid)?.take(message);
        return;
      case 'heartbeat':
      case 'connected':
        return;
      case 'ringing':
      case 'answer':
      case 'hangup':
      case 'cancel':
      case 'ack':
      case 'message':
      case 'direct':
        this.#callOf(message.callsid)?.take(message);
        return;
      default:
        message satisfies never;
    }
  }

  /** A call that the server has not named yet is the one that we make: there is one at a time. */
  #callOf(callSid: string): Call | undefined {
    const named = [...this.#calls].find((call) => call.callSid === callSid);
    if (named !== undefined || this.#ended.has(callSid)) return named;
    return this.#active?.callSid.startsWith('TJS') === true ? this.#active : undefined;
  }

  #invited({ callsid, sound, parameters, reconnect }: Extract<ServerMessage, { type: 'invite' }>): void {
    const { Params = '', ...own } = parameters;
    const call = new Call(
      {
        direction: 'INCOMING',
        callSid: callsid,
        parameters: own,
        customParameters: new Map(new URLSearchParams(Params)),
        ...{ offer: sound, reconnect },
      },
      this.#host(),
    );
    this.#calls.add(call);
    this.emit('incoming', call);
  }

  #over(call: Call, owed: ClientMessage | undefined): void {
    this.#calls.delete(call);
    this.#remember(call.callSid);
    if (this.#active === call) this.#active = undefined;
    if (owed !== undefined) this.#owed.add(owed);
    this.#stopWhenIdle();
  }

  #remember(callSid: string): void {
    this.#ended.add(callSid);
    const [oldest] = this.#ended;
    if (this.#ended.size > MAX_ENDED && oldest !== undefined) this.#ended.delete(oldest);
  }

  #lost(): void {
    for (const call of [...this.#calls]) call.socketLost();
    if (this.#state === 'registered') this.#enter(this.#wanted ? 'registering' : 'unregistered');
    if (this.#wanted) return;
    // Without a socket nobody is called.
    this.#settle('offline');
    this.#stopWhenIdle();
  }

  #refused(error: ClientError): void {
    for (const call of [...this.#calls]) call.socketLost();
    this.#enter('unregistered');
    this.#fail(error);
  }

  /** Whoever waits for an answer gets the error; it is told as an event besides. */
  #fail(error: ClientError): void {
    if (this.#state === 'registering' && this.#session.isConnected) this.#enter('unregistered');
    this.#settle(undefined, error);
    this.emit('error', error);
  }

  #enter(state: 'unregistered' | 'registering' | 'registered'): void {
    if (this.#state === state || this.#state === 'destroyed') return;
    this.#state = state;
    this.emit(state);
  }

  /** Whoever waits for a connection alone is a call. */
  #stopWhenIdle(): void {
    const isNeeded = this.#wanted || this.#calls.size > 0 || this.#state !== 'unregistered' || !this.#owed.isEmpty;
    if (!isNeeded && [...this.#waiting].every((waiter) => waiter.for === 'connected')) this.#session.stop();
  }

  /** For a call alone it is tried no further. */
  #unreachable(): ClientError {
    const wanted = 'want it running and reachable from this page';
    return new ClientError(
      31009,
      `the server at ${this.#options.url} does not answer: ${wanted}${this.#wanted ? '; it is tried on' : ''}`,
    );
  }

  #until(what: 'connected' | 'ready' | 'offline'): Promise<void> {
    const { promise, resolve, reject } = deferred<void>();
    const cancel = after(this.#ports.clock, REGISTER_TIMEOUT_MS, () => waiter.done(this.#unreachable()));
    const waiter = {
      for: what,
      done: (error?: ClientError) => {
        cancel();
        this.#waiting.delete(waiter);
        if (error === undefined) resolve();
        else reject(error);
      },
    };
    this.#waiting.add(waiter);
    return promise;
  }

  #settle(what: 'connected' | 'ready' | 'offline' | undefined, error?: ClientError): void {
    for (const waiter of [...this.#waiting]) if (what === undefined || waiter.for === what) waiter.done(error);
  }
}

const NAME_BYTES = 16;
const MAX_ENDED = 50;

function inCallAlready(): ClientError {
  return new ClientError(31486, 'this Device is in a call already: disconnect() it first, or make another Device');
}
