import type { TokenOutcome, VoiceGrant } from '../grant/voice-token.ts';
import type { CallMessage, ClientMessage, DirectStep, SoundPath } from '../wire/webphone/client-message.ts';
import type { ServerMessage, SignalError } from '../wire/webphone/server-message.ts';

/** The socket of one browser, as the door gives it. */
export interface DeviceSocket {
  /** The browser's address, and the address of this machine that it reached. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Host and port by which it came, as it named them. */
  readonly host: string;
  /** Bytes that wait to be sent. */
  bufferedBytes(): number;
  send(text: string): void;
  sendFrame(frame: Uint8Array): void;
  close(code: number, reason: string): void;
  /** A token was good; a token was none that anybody here signed. */
  admitted?(): void;
  refused?(): void;
}

/** What the door tells of a socket. */
export interface DeviceEvents {
  text(text: string): void;
  frame(frame: Uint8Array): void;
  closed(): void;
}

/** Decides what a token allows. */
export interface WebphoneAdmission {
  admit(token: string): Promise<TokenOutcome>;
}

/** A registered device of a client. */
export interface DeviceTarget {
  readonly deviceId: string;
  readonly accountSid: string;
  readonly identity: string;
  /** Its sound comes over its socket. */
  readonly frames: boolean;
}

export interface PlaceWebphoneCall {
  readonly target: DeviceTarget;
  readonly callSid: string;
  /** CallSid, From, To, AccountSid, Params. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Makes the offer for the socket of this device. */
  readonly offer: (at: SoundPlace) => Promise<SoundPath>;
  readonly ringTimeoutMs: number;
}

/** Where the sound of a device meets this machine. */
export interface SoundPlace {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly frames: FramePort;
}

/** RTP packets of a call over the socket of its device. */
export interface FramePort {
  send(frame: Uint8Array): void;
  onFrame(handler: (frame: Uint8Array) => void): void;
}

export interface PlacedWebphoneHandlers {
  ringing(): void;
  answered(call: WebphoneCall, sound: SoundPath): void;
  failed(failure: WebphoneFailure): void;
}

/** How a call to a browser ended before its answer, with the SIP status that says the same. */
export interface WebphoneFailure {
  readonly cause: 'rejected' | 'no-answer' | 'cancelled' | 'unreachable';
  readonly status: number;
  readonly reason: string;
}

/** A call that a browser makes. It is named once, then rings, then is answered or refused. */
export interface IncomingWebphoneCall {
  readonly grant: VoiceGrant;
  /** Of the page and of the token; the token's win. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly sound: SoundPath;
  readonly place: SoundPlace;
  readonly direct: boolean;
  /** Gives the call its sid; before anything else but `reject`. */
  name(callSid: string): void;
  ringing(): void;
  /** The caller hears its leg from now on. */
  earlyMedia(sound: SoundPath): void;
  answer(sound: SoundPath): WebphoneCall;
  reject(error: SignalError): void;
  /** The browser hung up, or is gone, before the answer. */
  onCancelled(handler: () => void): void;
}

/** A call that was answered. It outlives its socket for a while. */
export interface WebphoneCall {
  readonly callSid: string;
  /** Sound over whichever socket carries the call. */
  readonly frames: FramePort;
  /** The page lets its sound go straight to another browser. */
  readonly direct: boolean;
  hangup(error?: SignalError): void;
  /** False when no socket carries it now. */
  sendMessage(message: Omit<CallMessage, 'callsid'>): boolean;
  sendDirect(step: DirectStep): void;
  /** One handler. */
  onEvent(handler: (event: WebphoneCallEvent) => void): void;
}

export type WebphoneCallEvent =
  /** `lost`: its socket did not come back in time. Fires once. */
  | { readonly kind: 'ended'; readonly by: 'remote' | 'lost' }
  /** Another path for its sound (ICE restart, another device, frames where WebRTC carries nothing). Answer once. */
  | { readonly kind: 'offer'; readonly sound: SoundPath; answer(sound: SoundPath): void; refuse(): void }
  | { readonly kind: 'digits'; readonly digits: string }
  | { readonly kind: 'message'; readonly message: CallMessage; acknowledge(): void; refuse(error: SignalError): void }
  | { readonly kind: 'direct'; readonly step: DirectStep };

/** What whoever looks on is told of a browser: tokens and secrets are in its messages. */
export type WebphoneSight =
  | ({
      readonly kind: 'message';
      readonly deviceId: string;
      /** Undefined before its token was taken. */
      readonly identity: string | undefined;
      /** The name of the call that it is about, of this browser's own calls; before it has a sid that of the page. */
      readonly callSid: string | undefined;
    } & WatchedMessage)
  /** A call that had only the page's name has a sid. */
  | { readonly kind: 'named'; readonly deviceId: string; readonly pageName: string; readonly callSid: string };

/** A message as it passes between a browser and this server. */
export type WatchedMessage =
  | { readonly direction: 'in'; readonly message: ClientMessage }
  | { readonly direction: 'out'; readonly message: ServerMessage };

/** The browsers of a place as phones: their registrations and calls. Knows no account and no sound. */
export interface WebphoneAgent {
  /** Takes the socket of a browser; the door tells it what happens there. */
  connect(socket: DeviceSocket): DeviceEvents;
  /** Devices that are registered for a client now. */
  registered(accountSid: string, identity: string): Promise<readonly DeviceTarget[]>;
  placeCall(options: PlaceWebphoneCall, handlers: PlacedWebphoneHandlers): { cancel(): void };
  onIncomingCall(handler: (call: IncomingWebphoneCall) => void): void;
  counts(): { readonly sockets: number; readonly registered: number; readonly calls: number };
  /** Takes no new calls. */
  drain(): void;
  close(): void;
}
