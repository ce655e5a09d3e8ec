import { after, type Cancel, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { VoiceGrant } from '../grant/voice-token.ts';
import { PaceLimiter } from '../lane/pace.ts';
import { parseClientMessage, type ClientMessage } from '../wire/webphone/client-message.ts';
import { serializeServerMessage, type ServerMessage } from '../wire/webphone/server-message.ts';
import { CLOSE_GOING_AWAY, CLOSE_POLICY, CLOSE_TOO_BUSY, type WebphoneLimits } from './limits.ts';
import type { CallCarrier, CallOwner } from './signalled-call.ts';
import type { DeviceEvents, DeviceSocket, FramePort, WatchedMessage, WebphoneAdmission } from './webphone.ts';

export interface DevicePorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: WebphoneLimits;
  readonly admission: WebphoneAdmission;
  /** Announces the device again or takes it back; rejects when there is no room. */
  announce(device: Device, registered: boolean): Promise<void>;
  /** A message about a call; the device is admitted. */
  callMessage(device: Device, message: ClientMessage): void;
  closed(device: Device): void;
  /** Looks on. */
  watch?(device: Device, message: WatchedMessage): void;
}

/**
 * The SDK posts what it saw, with the token, to `eventgw.HOME.twilio.com`: with this home that is no address, and nothing
 * is posted.
 */
const NO_TELEMETRY = 'telemetry:off';

/** Nobody here made such a token; one that has expired, or allows too little, is an honest browser's. */
const FORGED: ReadonlySet<number> = new Set([31201, 31202, 31204]);

/** One socket of a browser: who it is, that it lives, whether it may be called. */
export class Device implements CallCarrier, DeviceEvents {
  readonly id: string;
  readonly #socket: DeviceSocket;
  readonly #ports: DevicePorts;
  readonly #pace: PaceLimiter;
  #grant: VoiceGrant | undefined;
  #expired = false;
  #frames = false;
  #registered = false;
  #closed = false;
  #heardAt: number;
  #forgedTokens = 0;
  /** What came while a token was being checked, in order. */
  #waiting: ClientMessage[] | undefined;
  /** Changes of the registration, one behind another: the last one that was asked for is what holds. */
  #registering: Promise<void> = Promise.resolve();
  readonly #timers = new Map<'listen' | 'heartbeat' | 'refresh' | 'expiry', Cancel>();
  #onFrame: ((frame: Uint8Array) => void) | undefined;
  readonly frames: FramePort = {
    send: (frame) => {
      // Late sound is worth nothing: a browser that does not read loses frames, not the call.
      if (!this.#closed && this.#socket.bufferedBytes() < this.#ports.limits.maxBufferedBytes)
        this.#socket.sendFrame(frame);
    },
    onFrame: (handler) => {
      this.#onFrame = handler;
    },
  };

  constructor(id: string, socket: DeviceSocket, ports: DevicePorts) {
    this.id = id;
    this.#socket = socket;
    this.#ports = ports;
    const { clock, limits } = ports;
    this.#pace = new PaceLimiter({ ratePerSecond: limits.messagesPerSecond, burst: limits.messageBurst });
    this.#heardAt = clock.now();
    this.#arm('listen', limits.listenMs, () => this.shut(CLOSE_POLICY, 'no listen came'));
    this.#beat();
  }

  /** What its token allows now. */
  get grant(): VoiceGrant | undefined {
    return this.#expired ? undefined : this.#grant;
  }

  /** Who it is, also when its token has expired. */
  get owner(): CallOwner | undefined {
    return this.#grant;
  }

  get isRegistered(): boolean {
    return this.#registered;
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Its sound comes over the socket. */
  get speaksFrames(): boolean {
    return this.#frames;
  }

  get addresses(): Pick<DeviceSocket, 'localAddress' | 'remoteAddress'> {
    return this.#socket;
  }

  send(message: ServerMessage): boolean {
    if (this.#closed) return false;
    if (this.#socket.bufferedBytes() > this.#ports.limits.maxBufferedBytes) {
      this.shut(CLOSE_TOO_BUSY, 'too much waits to be read');
      return false;
    }
    this.#socket.send(serializeServerMessage(message));
    this.#ports.watch?.(this, { direction: 'out', message });
    return true;
  }

  frame(frame: Uint8Array): void {
    this.#heardAt = this.#ports.clock.now();
    this.#onFrame?.(frame);
  }

  text(text: string): void {
    if (this.#closed) return;
    const now = this.#ports.clock.now();
    this.#heardAt = now;
    const parsed = parseClientMessage(text);
    if (parsed.kind === 'ok' && parsed.value.type === 'heartbeat') return;
    if (!this.#pace.take(now).allowed) {
      this.send({ type: 'error', error: { code: 31206, message: 'too many messages a second' } });
      this.shut(CLOSE_POLICY, 'too many messages a second');
      return;
    }
    if (parsed.kind === 'ok') this.#take(parsed.value);
    else if (parsed.kind === 'bad') this.send({ type: 'error', error: { code: 31100, message: parsed.reason } });
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    if (this.#registered) this.#inTurn(() => this.#unregister());
    this.#ports.closed(this);
  }

  shut(code: number, reason: string): void {
    if (this.#closed) return;
    this.#socket.close(code, reason);
    this.closed();
  }

  #take(message: ClientMessage): void {
    if (message.type === 'listen') {
      this.#ports.watch?.(this, { direction: 'in', message });
      this.#listen(message);
      return;
    }
    if (this.#waiting !== undefined) {
      if (this.#waiting.length >= this.#ports.limits.maxWaiting)
        this.shut(CLOSE_POLICY, 'too many messages before connected');
      else this.#waiting.push(message);
      return;
    }
    if (this.#grant === undefined) {
      this.send({ type: 'error', error: { code: 31204, message: 'want listen with a token first' } });
      return;
    }
    this.#ports.watch?.(this, { direction: 'in', message });
    if (message.type === 'register') this.#inTurn(() => this.#register(message));
    else this.#ports.callMessage(this, message);
  }

  #listen({ token }: Extract<ClientMessage, { type: 'listen' }>): void {
    this.#cancel('listen');
    this.#waiting ??= [];
    this.#ports.admission
      .admit(token)
      .then((outcome) => {
        if (outcome.kind === 'ok') this.#admitted(outcome.grant);
        else {
          this.#refused(outcome.code, outcome.reason);
          if (FORGED.has(outcome.code)) this.#forged();
        }
      })
      .catch((error: unknown) => {
        this.#ports.log.error({ error: errorText(error) }, 'a token could not be checked');
        this.#refused(31000, 'the token cannot be checked now; try again');
      });
  }

  #admitted(grant: VoiceGrant): void {
    if (this.#closed) return;
    const { clock } = this.#ports;
    const was = this.#grant;
    if (was !== undefined && (was.identity !== grant.identity || was.accountSid !== grant.accountSid)) {
      this.#refused(31201, "the token is another client's than this connection's");
      return;
    }
    this.#socket.admitted?.();
    this.#grant = grant;
    this.#expired = false;
    const ttlMs = grant.expiresAt - clock.now();
    this.#arm('expiry', ttlMs, () => this.#expire());
    const { host } = this.#socket;
    this.send({
      type: 'connected',
      identity: grant.identity,
      ttlSeconds: Math.max(0, Math.floor(ttlMs / 1000)),
      edge: host,
      home: NO_TELEMETRY,
    });
    this.#drainWaiting();
  }

  /** Nothing of what came after a refused token is done. */
  #refused(code: number, message: string): void {
    this.#waiting = undefined;
    this.send({ type: 'error', error: { code, message } });
    if (this.#grant === undefined)
      this.#arm('listen', this.#ports.limits.listenMs, () => this.shut(CLOSE_POLICY, 'no listen came'));
  }

  #forged(): void {
    if (this.#closed) return;
    this.#socket.refused?.();
    this.#forgedTokens += 1;
    if (this.#forgedTokens >= this.#ports.limits.maxForgedTokens) this.shut(CLOSE_POLICY, 'too many wrong tokens');
  }

  #drainWaiting(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const message of waiting) this.#take(message);
  }

  /** It may not be called any more, nor call; what it talks goes on. */
  #expire(): void {
    this.#expired = true;
    this.send({ type: 'error', error: { code: 31205, message: 'the token has expired' } });
    if (this.#registered) this.#inTurn(() => this.#unregister());
  }

  #inTurn(change: () => Promise<void>): void {
    this.#registering = this.#registering.then(change).catch((error: unknown) => {
      this.#ports.log.error({ error: errorText(error) }, 'a registration could not be changed');
    });
  }

  async #register({ audio, frames }: Extract<ClientMessage, { type: 'register' }>): Promise<void> {
    if (this.#closed) return;
    const { grant } = this;
    if (!audio || grant === undefined) {
      await this.#unregister();
      return;
    }
    if (!grant.incoming || grant.identity === '') {
      this.send({ type: 'error', error: { code: 31201, message: 'the token does not allow to be called' } });
      return;
    }
    this.#frames = frames;
    try {
      await this.#ports.announce(this, true);
    } catch (error) {
      this.send({ type: 'error', error: { code: 31206, message: errorText(error) } });
      return;
    }
    this.#registered = true;
    // Its socket or its token may have ended meanwhile, when there was nothing yet to take back.
    if (this.#closed || this.#expired) {
      await this.#unregister();
      return;
    }
    this.send({ type: 'ready' });
    this.#refreshLater();
  }

  async #unregister(): Promise<void> {
    this.#registered = false;
    this.#cancel('refresh');
    await this.#ports.announce(this, false).catch((error: unknown) => {
      this.#ports.log.info({ error: errorText(error) }, 'a registration could not be taken back; it will expire');
    });
    this.send({ type: 'offline' });
  }

  /** A registration is soft state: whoever holds the socket announces it again. */
  #refreshLater(): void {
    this.#arm('refresh', this.#ports.limits.registrationRefreshMs, () => {
      this.#ports.announce(this, true).catch((error: unknown) => {
        this.#ports.log.info({ error: errorText(error) }, 'a registration could not be announced again');
      });
      this.#refreshLater();
    });
  }

  #beat(): void {
    const { limits, clock } = this.#ports;
    this.#arm('heartbeat', limits.heartbeatMs, () => {
      if (clock.now() - this.#heardAt > limits.silenceMs) {
        this.shut(CLOSE_GOING_AWAY, 'nothing came for too long');
        return;
      }
      this.send({ type: 'heartbeat' });
      this.#beat();
    });
  }

  #arm(name: 'listen' | 'heartbeat' | 'refresh' | 'expiry', delayMs: number, fn: () => void): void {
    this.#cancel(name);
    if (!this.#closed) this.#timers.set(name, after(this.#ports.clock, delayMs, fn));
  }

  #cancel(name: 'listen' | 'heartbeat' | 'refresh' | 'expiry'): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}
