import type { Cancel, Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { SoundPath } from '../wire/webphone/client-message.ts';
import type { ClientError } from './client-error.ts';

/** What the engine of the client needs of the browser; tests give fakes. */
export interface ClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly userAgent: string;
  openSocket(url: string, handlers: SocketHandlers): ClientSocket;
  /** Tells when a connection may be possible again or may have died unseen: a network came, the tab woke. */
  onWake(handler: (why: 'network' | 'awake') => void): Cancel;
  readonly sounds: SoundPorts;
}

export interface SocketHandlers {
  opened(): void;
  text(text: string): void;
  frame(bytes: Uint8Array): void;
  /** Once. */
  closed(code: number, reason: string): void;
}

export interface ClientSocket {
  send(text: string): void;
  sendFrame(bytes: Uint8Array): void;
  close(): void;
}

export interface SoundPorts {
  /**
   * How sound can leave this browser now: `frames` when no ICE candidate exists, or WebRTC is `blocked` on its way. Rejects
   * with why neither is possible.
   */
  route(webRtc: 'untried' | 'blocked'): Promise<SoundPath['kind']>;
  /** Takes the microphone. Rejects with a ClientError that says what to do. */
  open(kind: SoundPath['kind'], events: SoundEvents): Promise<CallSound>;
}

export interface SoundEvents {
  /** Packets pass, for the first time or again. */
  up(): void;
  /** Packets do not pass; a restart may help. */
  down(): void;
  /** Sound is heard no more, for good. */
  failed(error: ClientError): void;
  /** A packet for the server, of kind `frames`. */
  frame(packet: Uint8Array): void;
  /** Loudness of both sides, 0 to 1. */
  volume(input: number, output: number): void;
  /** Of the direct path to another browser. */
  direct(state: 'up' | 'down'): void;
}

/** The sound of one call in the browser: microphone, path, loudspeaker. */
export interface CallSound {
  readonly kind: SoundPath['kind'];
  /** What the other party says; undefined until it comes, and where the browser has no stream of it. */
  readonly remoteStream: unknown;
  readonly localStream: unknown;
  offer(options?: { readonly restart: boolean }): Promise<SoundPath>;
  answer(offer: SoundPath): Promise<SoundPath>;
  accept(answer: SoundPath): Promise<void>;
  /** The description in force, by which a new socket goes on with the call. */
  current(): SoundPath;
  mute(muted: boolean): void;
  /** A packet of the server, of kind `frames`. */
  frame(packet: Uint8Array): void;
  /** Begins to tell loudness. */
  meter(): void;
  statistics(): Promise<SoundStatistics>;
  /** A connection of its own to another browser, beside that to the server. */
  readonly direct: DirectSound;
  close(): void;
}

/** Sound straight to the other browser; the server hears nothing while it is in use. */
export interface DirectSound {
  offer(): Promise<string>;
  answer(offer: string): Promise<string>;
  accept(answer: string): Promise<void>;
  /** Both sides are connected: sound goes this way from now on. */
  use(): void;
  /** Sound goes by the server again. */
  stop(): void;
}

export interface SoundStatistics {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
}
