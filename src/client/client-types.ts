// Types of `/client.js`, served as `/client.d.ts`: what pages may rely on. It stands alone, so that one file is enough.

export type DeviceState = 'unregistered' | 'registering' | 'registered' | 'destroyed';
export type CallStatus = 'pending' | 'connecting' | 'ringing' | 'open' | 'reconnecting' | 'closed';
/** Where the sound goes: by the server over WebRTC or over its socket, or straight to the other browser. */
export type SoundRoute = 'webrtc' | 'frames' | 'direct';

export interface DeviceOptions {
  /** Address of the server, `https://host:port`; default: where this module came from. */
  readonly url?: string;
  /** Lets the sound of a call go straight to another browser that allows it too, past the server. Default false. */
  readonly direct?: boolean;
  /** How long before the token's end `tokenWillExpire` is told; default 10 000. */
  readonly tokenRefreshMs?: number;
  /** ICE servers, as the Tokens resource gives them. */
  readonly rtcConfiguration?: RTCConfiguration | undefined;
  readonly audioConstraints?: MediaTrackConstraints | undefined;
  /** Default `auto`: WebRTC where it passes, else frames over the socket. */
  readonly sound?: 'auto' | 'webrtc' | 'frames' | undefined;
}

/** `TheDevice`, `TheCall`: the classes below, or what implements them. */
export type DeviceEvents<TheDevice = Device, TheCall = Call> = {
  registering: [];
  registered: [];
  unregistered: [];
  incoming: [call: TheCall];
  error: [error: ClientError];
  tokenWillExpire: [device: TheDevice];
  destroyed: [];
};

export type CallEvents<TheCall = Call> = {
  accept: [call: TheCall];
  /** True: the sound before the answer is heard. */
  ringing: [hasEarlyMedia: boolean];
  cancel: [];
  reject: [];
  disconnect: [call: TheCall];
  error: [error: ClientError];
  mute: [isMuted: boolean, call: TheCall];
  /** Loudness of both sides, 0 to 1. */
  volume: [input: number, output: number];
  messageReceived: [message: ReceivedMessage];
  messageSent: [message: { readonly voiceEventSid: string }];
  reconnecting: [error: ClientError];
  reconnected: [];
  /** The sound takes another way. */
  route: [route: SoundRoute];
};

export interface ReceivedMessage {
  readonly content: unknown;
  readonly contentType: string;
  readonly messageType: string;
  readonly voiceEventSid: string;
}

export interface CallMessageOptions {
  readonly content: unknown;
  readonly contentType?: string;
  readonly messageType?: string;
}

export interface SoundStatistics {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
}

/** `code` is the vendor's number; the message says what to do. */
export declare class ClientError extends Error {
  readonly code: number;
}

/** A phone in this page, by a token of your server. */
export declare class Device {
  constructor(token: string, options?: DeviceOptions);
  readonly state: DeviceState;
  /** Of the token, once the server has taken it. */
  readonly identity: string | undefined;
  readonly token: string;
  readonly calls: readonly Call[];
  readonly isBusy: boolean;
  /** Makes this page callable; it stays so over lost connections. */
  register(): Promise<void>;
  unregister(): Promise<void>;
  /** Calls the application of the token with these parameters. Resolves when the invitation is on its way. */
  connect(options?: { readonly params?: Readonly<Record<string, string>> }): Promise<Call>;
  updateToken(token: string): void;
  disconnectAll(): void;
  destroy(): void;
  on<Name extends keyof DeviceEvents>(name: Name, handler: (...values: DeviceEvents[Name]) => void): this;
  once<Name extends keyof DeviceEvents>(name: Name, handler: (...values: DeviceEvents[Name]) => void): this;
  off<Name extends keyof DeviceEvents>(name: Name, handler: (...values: DeviceEvents[Name]) => void): this;
  removeAllListeners(name?: keyof DeviceEvents): this;
}

/** One call of a Device, which makes it. */
export declare class Call {
  private constructor();
  readonly direction: 'INCOMING' | 'OUTGOING';
  /** CallSid, From, To, AccountSid; of an outgoing call CallSid alone, once the server has named it. */
  readonly parameters: Record<string, string>;
  readonly customParameters: ReadonlyMap<string, string>;
  /** Undefined before there is sound. */
  readonly route: SoundRoute | undefined;
  status(): CallStatus;
  isMuted(): boolean;
  accept(): void;
  reject(): void;
  ignore(): void;
  disconnect(): void;
  mute(shouldMute?: boolean): void;
  sendDigits(digits: string): void;
  /** Gives the message's sid. */
  sendMessage(options: CallMessageOptions): string;
  /** A MediaStream, once there is one. */
  getLocalStream(): unknown;
  getRemoteStream(): unknown;
  getStatistics(): Promise<SoundStatistics | undefined>;
  on<Name extends keyof CallEvents>(name: Name, handler: (...values: CallEvents[Name]) => void): this;
  once<Name extends keyof CallEvents>(name: Name, handler: (...values: CallEvents[Name]) => void): this;
  off<Name extends keyof CallEvents>(name: Name, handler: (...values: CallEvents[Name]) => void): this;
  removeAllListeners(name?: keyof CallEvents): this;
}
