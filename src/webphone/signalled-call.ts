import { after, type Cancel, type Clock } from '../base/clock.ts';
import { randomHex, type Random } from '../base/random.ts';
import type { CallMessage, ClientMessage, DirectStep, SoundPath } from '../wire/webphone/client-message.ts';
import type { ServerMessage, SignalError } from '../wire/webphone/server-message.ts';
import type { FramePort, WebphoneCall, WebphoneCallEvent } from './webphone.ts';

const RECONNECT_TOKEN_BYTES = 16;
const RECONNECT_REFUSED: SignalError = { code: 31209, message: 'this call is not yours to go on with' };

/** What a call wants of the socket that carries it. */
export interface CallCarrier {
  readonly id: string;
  /** Sound over this socket, of the call that took it last. */
  readonly frames: FramePort;
  send(message: ServerMessage): boolean;
}

/** Whose a call is: only sockets of the same client may carry it on. */
export interface CallOwner {
  readonly accountSid: string;
  readonly identity: string;
}

export interface SignalledCallPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly reconnectMs: number;
  /** Nothing more comes of the call. */
  forget(call: SignalledCall): void;
}

export interface NewSignalledCall {
  readonly callSid: string;
  readonly owner: CallOwner;
  readonly carrier: CallCarrier;
  readonly waiting: Waiting;
  readonly madeByBrowser: boolean;
}

type Answered = Extract<ClientMessage, { type: 'answer' }>;
type Invite = Extract<ClientMessage, { type: 'invite' }>;

/** Before the answer, the side that waits decides what an event means. */
export interface Waiting {
  answered?(message: Answered): void;
  /** Refused, hung up, or its socket is gone. */
  left(how: 'rejected' | 'hung-up' | 'lost'): void;
}

/** The signalling of one call with a browser, whoever began it; it may move from socket to socket. */
export class SignalledCall implements WebphoneCall {
  readonly owner: CallOwner;
  readonly #ports: SignalledCallPorts;
  #callSid: string;
  #carrier: CallCarrier | undefined;
  #waiting: Waiting | undefined;
  #over = false;
  readonly #madeByBrowser: boolean;
  #direct = false;
  /** The secret that was given last; and the one that a socket came with, for what was said since may not have arrived. */
  #reconnectToken = '';
  #shownToken = '';
  /** Fingerprint line of the browser's last description, none for frames: another one is another path. */
  #fingerprint: string | undefined;
  #cancelLost: Cancel | undefined;
  #handler: ((event: WebphoneCallEvent) => void) | undefined;
  readonly #early: WebphoneCallEvent[] = [];
  #onFrame: ((frame: Uint8Array) => void) | undefined;
  /** Sound over whichever socket carries the call. */
  readonly frames: FramePort = {
    send: (frame) => {
      if (this.occupies) this.#carrier?.frames.send(frame);
    },
    onFrame: (handler) => {
      this.#onFrame = handler;
      this.#joinFrames();
    },
  };

  constructor(options: NewSignalledCall, ports: SignalledCallPorts) {
    this.#callSid = options.callSid;
    this.#madeByBrowser = options.madeByBrowser;
    this.owner = options.owner;
    this.#carrier = options.carrier;
    this.#waiting = options.waiting;
    this.#ports = ports;
  }

  get callSid(): string {
    return this.#callSid;
  }

  get carrier(): CallCarrier | undefined {
    return this.#carrier;
  }

  get direct(): boolean {
    return this.#direct;
  }

  get isOver(): boolean {
    return this.#over;
  }

  get isUp(): boolean {
    return this.#waiting === undefined && !this.#over;
  }

  /** Keeps its browser from taking another one: it talks, or calls. */
  get occupies(): boolean {
    return !this.#over && (this.#madeByBrowser || this.isUp);
  }

  isOwnedBy(owner: CallOwner | undefined): boolean {
    return owner?.accountSid === this.owner.accountSid && owner.identity === this.owner.identity;
  }

  rename(callSid: string): void {
    this.#callSid = callSid;
  }

  /** A new secret by which a next socket may carry the call on. */
  newReconnectToken(): string {
    this.#reconnectToken = randomHex(this.#ports.random, RECONNECT_TOKEN_BYTES);
    return this.#reconnectToken;
  }

  send(message: ServerMessage): boolean {
    return this.#carrier?.send(message) ?? false;
  }

  /** Both sides are there from now on. */
  up(sound: SoundPath, direct: boolean): void {
    this.#waiting = undefined;
    this.#direct = direct;
    this.#remember(sound);
    this.#joinFrames();
  }

  /** Ends it without a word to the browser. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelLost?.();
    this.#ports.forget(this);
  }

  hangup(error?: SignalError): void {
    if (this.#over) return;
    this.send({ type: 'hangup', callsid: this.#callSid, error });
    this.close();
  }

  sendMessage(message: Omit<CallMessage, 'callsid'>): boolean {
    return !this.#over && this.send({ type: 'message', callsid: this.#callSid, ...message });
  }

  sendDirect(step: DirectStep): void {
    this.send({ type: 'direct', callsid: this.#callSid, step });
  }

  onEvent(handler: (event: WebphoneCallEvent) => void): void {
    this.#handler = handler;
    for (const event of this.#early.splice(0)) handler(event);
  }

  /** A message of its browser about this call. */
  take(message: ClientMessage, carrier: CallCarrier): void {
    if (this.#over) return;
    switch (message.type) {
      case 'answer':
        this.#carrier = carrier;
        this.#waiting?.answered?.(message);
        return;
      case 'reject':
        this.#waiting?.left('rejected');
        return;
      case 'hangup':
        if (this.#waiting !== undefined) this.#waiting.left('hung-up');
        else this.#end('remote');
        return;
      case 'reinvite':
        this.#offer(message.sound);
        return;
      case 'dtmf':
        this.#tell({ kind: 'digits', digits: message.digits });
        return;
      case 'message':
        this.#takeMessage(message);
        return;
      case 'direct':
        if (this.isUp) this.#tell({ kind: 'direct', step: message.step });
        return;
      case 'invite':
        this.#reconnect(message, carrier);
        return;
      case 'heartbeat':
      case 'listen':
      case 'register':
        return;
      default:
        message satisfies never;
    }
  }

  /** The socket is gone: another one may come for it. */
  lost(carrier: CallCarrier): void {
    if (this.#over || this.#carrier !== carrier) return;
    this.#carrier = undefined;
    if (this.#waiting !== undefined) {
      this.#waiting.left('lost');
      return;
    }
    this.#cancelLost?.();
    this.#cancelLost = after(this.#ports.clock, this.#ports.reconnectMs, () => this.#end('lost'));
  }

  #reconnect(message: Invite, carrier: CallCarrier): void {
    const { reconnect = '' } = message;
    const isOurs = reconnect !== '' && [this.#reconnectToken, this.#shownToken].includes(reconnect);
    if (!this.isUp || !isOurs) {
      carrier.send({ type: 'hangup', callsid: message.callsid, error: RECONNECT_REFUSED });
      return;
    }
    this.#shownToken = reconnect;
    this.newReconnectToken();
    this.#cancelLost?.();
    this.#carrier = carrier;
    this.#joinFrames();
    const { sound } = message;
    if (fingerprintOf(sound) !== this.#fingerprint) this.#offer(sound);
    // The page may not have heard yet that its frames were taken.
    else this.#answer(sound.kind === 'frames' ? sound : undefined);
  }

  /** The browser offers another path for the sound. */
  #offer(sound: SoundPath): void {
    if (!this.isUp) return;
    this.#tell({
      kind: 'offer',
      sound,
      answer: (answer) => {
        this.#remember(sound);
        // A page that sends frames has no way straight to another browser.
        if (sound.kind === 'frames') this.#direct = false;
        this.#answer(answer);
      },
      refuse: () => {
        this.send({
          type: 'error',
          callsid: this.#callSid,
          error: { code: 53402, message: 'the offer could not be taken; the sound stays as it was' },
        });
      },
    });
  }

  #answer(sound: SoundPath | undefined): void {
    if (this.#over) return;
    this.send({ type: 'answer', callsid: this.#callSid, sound, reconnect: this.#reconnectToken });
  }

  #takeMessage({ type: _type, ...message }: Extract<ClientMessage, { type: 'message' }>): void {
    const { callsid, eventSid } = message;
    this.#tell({
      kind: 'message',
      message,
      acknowledge: () => void this.send({ type: 'ack', callsid, eventSid }),
      refuse: (error) => void this.send({ type: 'error', error, callsid, eventSid }),
    });
  }

  /** A call that only rings takes the sound of none that its browser talks on. */
  #joinFrames(): void {
    if (this.#onFrame !== undefined && this.occupies) this.#carrier?.frames.onFrame(this.#onFrame);
  }

  #remember(sound: SoundPath): void {
    this.#fingerprint = fingerprintOf(sound);
  }

  #end(by: 'remote' | 'lost'): void {
    if (this.#over) return;
    this.close();
    this.#tell({ kind: 'ended', by });
  }

  #tell(event: WebphoneCallEvent): void {
    if (this.#handler === undefined) {
      if (this.#early.length < MAX_EARLY_EVENTS) this.#early.push(event);
    } else this.#handler(event);
  }
}

/** Between the answer and the moment its owner listens little can come. */
const MAX_EARLY_EVENTS = 16;

function fingerprintOf(sound: SoundPath): string | undefined {
  return sound.kind === 'webrtc' ? /^a=fingerprint:.*$/im.exec(sound.sdp)?.[0]?.trim() : undefined;
}
