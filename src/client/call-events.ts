import type { ClientError } from './client-error.ts';

export type CallStatus = 'pending' | 'connecting' | 'ringing' | 'open' | 'reconnecting' | 'closed';

/** Where the sound goes: by the server over WebRTC or over its socket, or straight to the other browser. */
export type SoundRoute = 'webrtc' | 'frames' | 'direct';

export interface CallMessageOptions {
  readonly content: unknown;
  readonly contentType?: string;
  readonly messageType?: string;
}

export interface ReceivedMessage {
  readonly content: unknown;
  readonly contentType: string;
  readonly messageType: string;
  readonly voiceEventSid: string;
}

/** `Call`: the class of the call, which knows these. */
export type CallEvents<Call> = {
  accept: [call: Call];
  /** True: the sound before the answer is heard. */
  ringing: [hasEarlyMedia: boolean];
  cancel: [];
  reject: [];
  disconnect: [call: Call];
  error: [error: ClientError];
  mute: [isMuted: boolean, call: Call];
  /** Loudness of both sides, 0 to 1. */
  volume: [input: number, output: number];
  messageReceived: [message: ReceivedMessage];
  messageSent: [message: { readonly voiceEventSid: string }];
  reconnecting: [error: ClientError];
  reconnected: [];
  /** The sound takes another way. */
  route: [route: SoundRoute];
};
