import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { ClientMessage, SoundPath } from '../wire/webphone/client-message.ts';
import type { ServerMessage } from '../wire/webphone/server-message.ts';
import { asClientError, lostSocket, noSound } from './call-errors.ts';
import type { CallEvents, CallMessageOptions, CallStatus, SoundRoute } from './client-types.ts';
import { messageOf, received } from './call-messages.ts';
import { CallAudio } from './call-audio.ts';
import { CallRecovery } from './call-recovery.ts';
import { ClientError } from './client-error.ts';
import { DigitQueue } from './digit-queue.ts';
import { Emitter } from './emitter.ts';
import type { CallSound, SoundEvents, SoundStatistics } from './ports.ts';

/** What a call wants of its Device. */
export interface CallHost {
  readonly clock: Clock;
  readonly random: Random;
  /** This page lets its sound go straight to another browser. */
  readonly direct: boolean;
  send(message: ClientMessage): boolean;
  sendFrame(packet: Uint8Array): void;
  openSound(kind: SoundPath['kind'], events: SoundEvents): Promise<CallSound>;
  /** Not one packet passed by WebRTC. Gives the way that is left. */
  webRtcBlocked(): Promise<SoundPath['kind']>;
  /** Begins to be the call that the browser is in; throws ClientError 31486 when there is one. */
  accepting(call: Call): void;
  /** It rings on. */
  notAccepted(call: Call): void;
  /** `owed`: what the server still has to hear, where there is no connection now. */
  over(call: Call, owed: ClientMessage | undefined): void;
}

export interface NewCall {
  readonly direction: 'INCOMING' | 'OUTGOING';
  readonly callSid: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly customParameters: ReadonlyMap<string, string>;
  /** Of a call that comes in. */
  readonly offer?: SoundPath;
  readonly reconnect?: string;
}

/** One call of a Device. */
export class Call extends Emitter<CallEvents<Call>> {
  readonly direction: 'INCOMING' | 'OUTGOING';
  /** CallSid, From, To, AccountSid; of an outgoing call CallSid alone, once the server has named it. */
  readonly parameters: Record<string, string>;
  readonly customParameters: ReadonlyMap<string, string>;
  readonly #host: CallHost;
  readonly #offer: SoundPath | undefined;
  readonly #digits: DigitQueue;
  readonly #audio: CallAudio;
  readonly #recovery: CallRecovery;
  #callSid: string;
  #status: CallStatus;
  #reconnectToken: string;
  /** Frames have been offered for a WebRTC that carries nothing. */
  #goesOver = false;

  /** @internal Calls are made by a Device. */
  constructor(options: NewCall, host: CallHost) {
    super();
    this.direction = options.direction;
    this.parameters = { ...options.parameters };
    this.customParameters = options.customParameters;
    this.#callSid = options.callSid;
    this.#offer = options.offer;
    this.#reconnectToken = options.reconnect ?? '';
    this.#host = host;
    this.#status = options.direction === 'INCOMING' ? 'pending' : 'connecting';
    this.#digits = new DigitQueue(host.clock, (digits) => host.send({ type: 'dtmf', callsid: this.#callSid, digits }));
    this.#recovery = new CallRecovery({
      clock: host.clock,
      begun: (error) => {
        this.#status = 'reconnecting';
        this.emit('reconnecting', error);
      },
      recovered: () => {
        this.#status = 'open';
        this.emit('reconnected');
      },
      givenUp: (error) => this.#fail(error),
      neverPassed: () => this.#neverPassed(),
      restartSound: () => this.#restartSound(),
    });
    this.#audio = new CallAudio({
      open: (kind, events) => host.openSound(kind, events),
      up: () => this.#recovery.soundUp(),
      down: () => this.#recovery.soundDown(),
      failed: (error) => this.#fail(error),
      frame: (packet) => host.sendFrame(packet),
      volume: (input, output) => this.emit('volume', input, output),
      sendDirect: (step) => void host.send({ type: 'direct', callsid: this.#callSid, step }),
      rerouted: (route) => this.emit('route', route),
    });
  }

  status(): CallStatus {
    return this.#status;
  }

  isMuted(): boolean {
    return this.#audio.isMuted;
  }

  /** Undefined before there is sound. */
  get route(): SoundRoute | undefined {
    return this.#audio.route;
  }

  /** The microphone's MediaStream. */
  getLocalStream(): unknown {
    return this.#audio.localStream;
  }

  /** What the other party says, as a MediaStream. */
  getRemoteStream(): unknown {
    return this.#audio.remoteStream;
  }

  /** Packets of the way that the sound takes now. */
  async getStatistics(): Promise<SoundStatistics | undefined> {
    return this.#audio.statistics();
  }

  /**
   * Takes a call that comes in. A refused microphone is an `error`, another call of this Device (31486) too; the call goes
   * on ringing and may be accepted again.
   */
  accept(): void {
    if (this.#status !== 'pending') return;
    try {
      this.#host.accepting(this);
    } catch (error) {
      this.emit('error', asClientError(error));
      return;
    }
    this.#status = 'connecting';
    this.#accept().catch((error: unknown) => {
      if (this.#status !== 'connecting') return;
      this.#status = 'pending';
      this.#host.notAccepted(this);
      this.emit('error', asClientError(error));
    });
  }

  /** Refuses a call that comes in, at all devices of this client. */
  reject(): void {
    if (this.#status !== 'pending') return;
    const message: ClientMessage = { type: 'reject', callsid: this.#callSid };
    this.#close(this.#host.send(message) ? undefined : message);
    this.emit('reject');
  }

  /** Lets a call that comes in ring elsewhere. */
  ignore(): void {
    if (this.#status !== 'pending') return;
    this.#close();
    this.emit('cancel');
  }

  /** Hangs up. */
  disconnect(): void {
    if (this.#status === 'pending') {
      this.reject();
      return;
    }
    if (this.#status === 'closed') return;
    this.#hangUp();
    this.emit('disconnect', this);
  }

  mute(shouldMute = true): void {
    if (this.isMuted() === shouldMute || this.#status === 'closed') return;
    this.#audio.mute(shouldMute);
    this.emit('mute', shouldMute, this);
  }

  /** Presses keys: 0-9 * #, and `w` for half a second. They go by signalling, so that none is lost with the sound. */
  sendDigits(digits: string): void {
    if (!/^[0-9*#w]+$/i.test(digits))
      throw new ClientError(
        31100,
        `digits ${JSON.stringify(digits.slice(0, 40))}: want keys 0-9 * # and w for a pause`,
      );
    if (this.#status !== 'closed') this.#digits.press(digits);
  }

  /** Sends a text beside the sound; gives its sid, told again by `messageSent` once the server has it. */
  sendMessage(options: CallMessageOptions): string {
    const message = messageOf(options, { callsid: this.#callSid, random: this.#host.random });
    if (this.#status !== 'open' || !this.#host.send(message))
      throw new ClientError(
        31210,
        `a call that is ${this.#status} takes no message: want it open; wait for accept or reconnected`,
      );
    return message.eventSid;
  }

  override on<Name extends keyof CallEvents<Call>>(
    name: Name,
    handler: (...values: CallEvents<Call>[Name]) => void,
  ): this {
    if (name === 'volume') this.#audio.meter();
    return super.on(name, handler);
  }

  /** @internal */
  get callSid(): string {
    return this.#callSid;
  }

  /** @internal Takes the microphone and sends the invitation; rejects when either fails. */
  async begin(kind: SoundPath['kind'], parameters: string): Promise<void> {
    try {
      const sound = await this.#audio.offer(kind);
      if (this.#status !== 'connecting') return;
      const direct = this.#host.direct && kind === 'webrtc';
      const invite: ClientMessage = {
        type: 'invite',
        callsid: this.#callSid,
        sound,
        parameters,
        reconnect: undefined,
        direct,
      };
      if (!this.#host.send(invite)) throw lostSocket();
    } catch (error) {
      this.#close();
      throw asClientError(error);
    }
  }

  /** @internal */
  take(message: ServerMessage): void {
    if (this.#status === 'closed') return;
    switch (message.type) {
      case 'ringing':
        this.#ringing(message);
        return;
      case 'answer':
        this.#answered(message);
        return;
      case 'hangup':
        this.#close();
        if (message.error !== undefined) this.emit('error', ClientError.fromServer(message.error));
        this.emit('disconnect', this);
        return;
      case 'cancel':
        this.#close();
        this.emit('cancel');
        return;
      case 'ack':
        this.emit('messageSent', { voiceEventSid: message.eventSid });
        return;
      case 'message':
        this.emit('messageReceived', received(message));
        return;
      case 'error':
        if (this.#goesOver && message.error.code === REFUSED_OFFER) this.#fail(noSound(this.#audio.kind));
        // A refused restart is tried again.
        else if (!this.#recovery.isSoundLost) this.emit('error', ClientError.fromServer(message.error));
        return;
      case 'direct':
        this.#audio.direct(message.step);
        return;
      case 'heartbeat':
      case 'connected':
      case 'ready':
      case 'offline':
      case 'close':
      case 'invite':
        return;
      default:
        message satisfies never;
    }
  }

  /** @internal */
  frame(packet: Uint8Array): void {
    this.#audio.frame(packet);
  }

  /** @internal The server keeps a call that was answered, and only that, for a while. */
  socketLost(): void {
    if (this.#status === 'pending') {
      this.#close();
      this.emit('cancel');
    } else if (this.#status === 'open' || this.#status === 'reconnecting') {
      this.#recovery.socketLost();
    } else if (this.#status !== 'closed') this.#fail(lostSocket());
  }

  /** @internal */
  socketBack(): void {
    const sound = this.#audio.current;
    if (!this.#recovery.isSocketLost || sound === undefined) return;
    this.#host.send({
      ...{ type: 'invite', callsid: this.#callSid, sound, parameters: '' },
      ...{ reconnect: this.#reconnectToken, direct: false },
    });
  }

  async #accept(): Promise<void> {
    const offer = this.#offer;
    if (offer === undefined) return;
    const sound = await this.#audio.answer(offer);
    if (this.#status !== 'connecting') return;
    const direct = this.#host.direct && offer.kind === 'webrtc';
    if (!this.#host.send({ type: 'answer', callsid: this.#callSid, sound, direct })) {
      this.#audio.release();
      throw lostSocket();
    }
    this.#opened();
  }

  #ringing({ callsid, sound }: Extract<ServerMessage, { type: 'ringing' }>): void {
    this.#named(callsid);
    if (this.#status !== 'connecting') return;
    this.#status = 'ringing';
    if (sound !== undefined) this.#acceptSound(sound);
    this.emit('ringing', sound !== undefined);
  }

  #answered({ callsid, sound, reconnect }: Extract<ServerMessage, { type: 'answer' }>): void {
    this.#named(callsid);
    if (reconnect !== undefined) this.#reconnectToken = reconnect;
    if (sound !== undefined) this.#acceptSound(sound);
    if (this.#status === 'connecting' || this.#status === 'ringing') this.#opened();
    else if (this.#recovery.isSocketLost) {
      this.#digits.flush();
      this.#recovery.socketBack();
    }
  }

  #named(callSid: string): void {
    this.#callSid = callSid;
    this.parameters['CallSid'] = callSid;
  }

  #opened(): void {
    this.#status = 'open';
    this.#digits.flush();
    this.emit('accept', this);
    // Last: what it looks for, the page hears after `accept`.
    this.#recovery.opened();
  }

  #acceptSound(path: SoundPath): void {
    this.#audio.accept(path).catch((error: unknown) => {
      if (!this.#recovery.isSoundLost) this.#fail(asClientError(error));
    });
  }

  #neverPassed(): void {
    const { kind } = this.#audio;
    if (kind !== 'webrtc' || this.#goesOver) {
      this.#fail(noSound(kind));
      return;
    }
    this.#goesOver = true;
    this.#goOver().catch((error: unknown) => this.#fail(asClientError(error)));
  }

  /** This call takes to frames, as the next ones do from the beginning. */
  async #goOver(): Promise<void> {
    if ((await this.#host.webRtcBlocked()) !== 'frames') throw noSound('webrtc');
    const sound = await this.#audio.replace();
    // Without a connection it is said with the next one.
    this.#host.send({ type: 'reinvite', callsid: this.#callSid, sound });
  }

  #restartSound(): void {
    this.#audio.restart().then(
      (sound) => {
        if (this.#recovery.isSoundLost && sound?.kind === 'webrtc')
          this.#host.send({ type: 'reinvite', callsid: this.#callSid, sound });
      },
      // The next try may find the connection in a better state.
      () => undefined,
    );
  }

  #fail(error: ClientError): void {
    if (this.#status === 'closed') return;
    // First: whoever hears of the error may hang up, or call again.
    this.#hangUp();
    this.emit('error', error);
    this.emit('disconnect', this);
  }

  #hangUp(): void {
    const message: ClientMessage = { type: 'hangup', callsid: this.#callSid };
    this.#close(this.#host.send(message) ? undefined : message);
  }

  #close(owed?: ClientMessage): void {
    if (this.#status === 'closed') return;
    this.#status = 'closed';
    this.#recovery.close();
    this.#digits.close();
    this.#audio.close();
    this.#host.over(this, owed);
  }
}

/** The vendor's MediaClientRemoteDescFailedError. */
const REFUSED_OFFER = 53_402;
