import type { Endpoint } from '../base/network.ts';

/**
 * Where sound lives: in this process (virtual time, tests) or in a child process with its own ports and 20 ms ticker.
 * Legs that hear each other are on one node. Everything that crosses this port is plain data.
 */
export interface MediaNode {
  readonly id: string;
  /** Opens sockets; rejects with MediaError `overloaded` (measured lateness, a busy process, the leg limit) or `no-ports`. */
  openLeg(options: LegOptions): Promise<MediaLeg>;
  /** Joins legs of this node: each hears all the others, never itself. */
  bridge(legs: readonly MediaLeg[], options?: BridgeOptions): Promise<MediaBridge>;
  load(): MediaLoad;
  /** Told once when the node dies; all its legs and bridges are gone by then. */
  onLost(handler: (reason: string) => void): void;
  close(): Promise<void>;
}

export interface MediaLoad {
  readonly legs: number;
  /** 99th percentile of the ticker's lateness over the last seconds. */
  readonly latenessMs: number;
  readonly accepting: boolean;
}

export type MediaErrorCode =
  | 'overloaded'
  | 'no-ports'
  | 'bad-sdp' // 400: not SDP
  | 'not-acceptable' // 488: no codec or address in common
  | 'bad-audio' // a file that is neither WAV nor MP3, or broken
  | 'no-disk'
  | 'no-webrtc' // no library for this platform, or this node is not in a process of its own
  | 'closed'
  | 'lost';

export type LegOptions = (RtpLegOptions | WebRtcLegOptions | FramesLegOptions) & LegUse;

export interface LegUse {
  /** The leg is for a call that has one here already, and is refused later than a new call's: a call is taken whole. */
  readonly joining?: boolean;
}

/** Plain RTP over UDP, as SIP phones speak it. */
export interface RtpLegOptions {
  readonly kind: 'rtp';
  /** Local address of the route to that peer: bound, and written into SDP unless `advertisedAddress` is given. */
  readonly localAddress: string;
  readonly advertisedAddress?: string;
  /** Signalling source of the peer; RTP may latch onto this address besides the one that the SDP names. */
  readonly signallingPeer?: string;
}

/**
 * A browser: ICE, DTLS-SRTP. Descriptions are complete: all our candidates are in them, and none of the browser's need
 * be, since it is learnt from its connectivity checks. Packets pass from the event `connected` on. A repeated offer with
 * other ICE credentials restarts ICE while the old connection goes on.
 */
export interface WebRtcLegOptions {
  readonly kind: 'webrtc';
  /** Bound: an address of ours, or `0.0.0.0` or `::` for all of them, each of which becomes a candidate. */
  readonly localAddress: string;
  /** Candidates instead of the local addresses, with the same port: what a NAT in front of us forwards. */
  readonly advertisedAddresses?: readonly string[];
  /** Offers 127.0.0.1 besides, when all addresses are bound: for a browser on this machine. */
  readonly loopback?: boolean;
  /** STUN servers to learn a public address from, `stun:host:port`; default none: nothing leaves the machine unasked. */
  readonly iceServers?: readonly string[];
  /**
   * Takes a port of the range for this leg alone. Default: the process has one for all of its legs, which wants that no
   * two peers send from one address and port, as no two calls of browsers do.
   */
  readonly ownPort?: boolean;
}

/**
 * A page that no packet reaches, on a machine without a network: RTP packets (G.711 and telephone events, without RTCP)
 * pass as messages through `MediaLeg.frames`. Offers and answers are those of an RTP leg; their address means nothing.
 */
export interface FramesLegOptions {
  readonly kind: 'frames';
}

/** SDP direction as seen from us. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One party's audio. SDP goes in and out as text; offers and answers follow RFC 3264. */
export interface MediaLeg {
  readonly id: string;
  readonly node: MediaNode;
  /** Of a browser's leg: the way of its packets when they come and go as messages. */
  readonly frames: FrameChannel | undefined;
  /** First offer or re-offer (o= version + 1). */
  createOffer(options?: { readonly direction?: Direction }): Promise<string>;
  /** Takes the answer; repeated for forks and early media (the last one wins). Rejects with `bad-sdp`, `not-acceptable`. */
  acceptAnswer(sdp: string): Promise<void>;
  /** Answers a first or repeated offer (hold, new address). Rejects with `bad-sdp`, `not-acceptable`; then media stays. */
  answerOffer(sdp: string): Promise<string>;
  /**
   * Answers an offer as a leg of kind `frames` does; from then on the packets of this browser, which WebRTC did not carry,
   * pass through `frames`. What plays, records or is bridged goes on. Rejects with `not-acceptable` where there is no browser.
   */
  useFrames(offer: string): Promise<void>;
  /** Plays the sources one after another; a new play replaces the running one. */
  play(sources: readonly SoundSource[], options?: { readonly loop?: number }): Playback;
  /** Sends RFC 4733 events (in-band tones where not negotiated). `w` is a pause of 0.5 s, `W` of 1 s. */
  sendDigits(digits: string): Playback;
  /** Records this party's sound. Several recordings may run at once (the call's own and a Record verb's). */
  record(options: RecordOptions): Recording;
  /** Adds a handler; it hears what happens from now on. Handlers go with the leg, or when the returned function is called. */
  onEvent(handler: (event: LegEvent) => void): () => void;
  /** A digit that arrived by signalling (SIP INFO); reported like any other. */
  injectDigit(digit: string): void;
  /** While it rests, only keys and what is played are sent: its party hears the other one in another way. */
  rest(resting: boolean): void;
  statistics(): Promise<LegStatistics>;
  close(): Promise<LegStatistics>;
}

/** The way of packets that come and go as messages. Bytes are whole RTP packets. */
export interface FrameChannel {
  /** From the page. More than a page can speak are dropped. */
  push(packet: Uint8Array): void;
  /** To the page; set once. */
  onFrame(handler: (packet: Uint8Array) => void): void;
}

/** Why a browser's packets do not pass: see `LegEvent`. */
export type DisconnectReason = 'unreachable' | 'refused' | 'lost' | 'closed';

export type LegEvent =
  | {
      readonly kind: 'digit';
      readonly digit: string;
      readonly durationMs: number;
      readonly via: 'rtp' | 'in-band' | 'info';
    }
  /** First audio packet from the peer. */
  | { readonly kind: 'audio-started' }
  /**
   * Nothing arrived for the node's silence limit while the peer should be sending: since the last packet, or since the
   * last offer and answer. Told again after each further limit, since a peer need not send before the call is answered.
   */
  | { readonly kind: 'audio-missing'; readonly forMs: number }
  /** Of WebRTC legs: packets pass, for the first time or again. */
  | { readonly kind: 'connected' }
  /**
   * Of WebRTC legs: packets do not pass. `unreachable`: the browser was never reached; `refused`: its certificate is not
   * the one of its description; `lost`: it was reached and answers no more; `closed`: it closed the connection. The leg
   * stays: another offer may connect it again.
   */
  | { readonly kind: 'disconnected'; readonly reason: DisconnectReason };

export type SoundSource =
  /** WAV or MP3 file, told by its content. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'silence'; readonly durationMs: number }
  /** Sum of sine waves; `cadenceMs` alternates on and off. Level in dBm0, default -13. */
  | {
      readonly kind: 'tone';
      readonly hertz: readonly number[];
      readonly durationMs: number;
      readonly cadenceMs?: readonly number[];
      readonly level?: number;
    }
  | { readonly kind: 'digits'; readonly digits: string };

export interface Playback {
  /** `completed`, `stopped` (stop, replaced, leg closed), or `failed` with a MediaErrorCode. Never rejects. */
  readonly done: Promise<{
    readonly outcome: 'completed' | 'stopped' | 'failed';
    readonly playedMs: number;
    readonly error?: MediaErrorCode;
    readonly message?: string;
  }>;
  stop(): void;
}

export interface RecordOptions {
  /** Where the WAV goes (PCM 16 bit, 8 kHz); the folder exists. */
  readonly path: string;
  readonly maxLengthMs?: number;
  /** Ends after this much silence; undefined: never. */
  readonly silenceMs?: number;
  /** Keys that end the recording, e.g. `1234567890*#`; the key's sound is cut off. */
  readonly finishOnKey?: string;
  readonly beep?: boolean;
  /** Cut silence at both ends. */
  readonly trim?: boolean;
  /** What the party says (inbound, the default), what it hears (outbound), or both: mixed with one channel, left and right with two. */
  readonly track?: 'inbound' | 'outbound' | 'both';
  readonly channels?: 1 | 2;
}

export interface RecordingResult {
  readonly endedBy: 'silence' | 'max-length' | 'key' | 'hangup' | 'stop' | 'failed';
  readonly digit?: string;
  /** 0 when nothing but silence was heard (then the file is absent). */
  readonly durationMs: number;
  readonly channels: 1 | 2;
  readonly error?: MediaErrorCode;
  readonly message?: string;
}

export interface Recording {
  readonly done: Promise<RecordingResult>;
  stop(): void;
  pause(): void;
  resume(): void;
}

export interface BridgeOptions {
  /** Keys heard on any leg are still reported to that leg's handler. */
  readonly passDigits?: boolean;
  /** Legs that hear the others and are not heard: early media before the answer. */
  readonly listeners?: readonly MediaLeg[];
}

export interface MediaBridge {
  /** Records both sides: mono mixes them, dual keeps the first leg left and the others right. */
  record(options: {
    readonly path: string;
    readonly channels: 1 | 2;
    readonly trim?: boolean;
    readonly maxLengthMs?: number;
  }): Recording;
  /** Legs go on alone. */
  close(): Promise<void>;
}

export interface LegStatistics {
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly jitterMs: number;
  readonly codec?: 'PCMU' | 'PCMA';
  readonly remote?: Endpoint;
  readonly firstAudioAfterMs?: number;
}
