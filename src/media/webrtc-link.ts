import type { PeerConnection, Track } from 'node-datachannel';
import { after, type Cancel, type Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { errorText } from '../base/errors.ts';
import type { Endpoint } from '../base/network.ts';
import type { IceDtls } from '../wire/sdp/ice-dtls.ts';
import { formatRemoteEnd } from './webrtc-remote-end.ts';
import { MediaError } from './media-error.ts';
import type { DisconnectReason } from './media-node.ts';
import { readDescription } from './sdp-negotiation.ts';
import type { WebRtcLibrary } from './webrtc-library.ts';

export interface WebRtcLinkOptions {
  readonly library: WebRtcLibrary;
  readonly clock: Clock;
  readonly bindAddress: string;
  readonly port: number;
  /** Whether `port` serves other links of this process too. */
  readonly sharedPort: boolean;
  /** `stun:host:port`; none by default. */
  readonly iceServers: readonly string[];
  readonly mid: string;
  readonly onPacket: (packet: Uint8Array) => void;
  readonly onOpen: () => void;
  /** Told at most once; the link is closed by then. */
  readonly onDown: (reason: DisconnectReason) => void;
}

/** A server that is asked for our public address must not hold up the call. */
const GATHERING_LIMIT_MS = 3_000;
/** RFC 8445 leaves it open how long checks go on; a browser that is reachable answers within a second. */
export const CONNECTING_LIMIT_MS = 20_000;

/**
 * One connection with a browser: an ICE session and the DTLS association and SRTP keys upon it. The library cannot
 * restart ICE, so a restart is another link, whose certificate is a new one (RFC 8842 4: then DTLS begins anew, too).
 */
export class WebRtcLink {
  readonly #options: WebRtcLinkOptions;
  readonly #connection: PeerConnection;
  readonly #track: Track;
  #cancelLimit: Cancel | undefined;
  #open = false;
  #closed = false;
  #remote: Endpoint | undefined;

  constructor(options: WebRtcLinkOptions) {
    this.#options = options;
    const { library, bindAddress, port, sharedPort, iceServers, mid } = options;
    this.#connection = new library.PeerConnection('leg', {
      iceServers: [...iceServers],
      bindAddress,
      portRangeBegin: port,
      portRangeEnd: port,
      enableIceUdpMux: sharedPort,
      disableAutoNegotiation: true,
    });
    // What is sent and received is settled by our own descriptions; the library only must not refuse it.
    const audio = new library.Audio(mid, 'SendRecv');
    audio.addAudioCodec(0, 'PCMU/8000');
    this.#track = this.#connection.addTrack(audio);
    this.#track.onMessage((packet) => {
      if (!this.#closed) options.onPacket(packet);
    });
    this.#track.onOpen(() => this.#opened());
    this.#connection.onStateChange((state) => this.#stateChanged(state));
  }

  /** Whether packets pass. */
  get open(): boolean {
    return this.#open && !this.#closed;
  }

  /** The peer's address that ICE chose. */
  get remote(): Endpoint | undefined {
    return this.#remote;
  }

  /** Our end for an offer. */
  async offer(): Promise<IceDtls> {
    return this.#gather(() => this.#connection.setLocalDescription('offer'));
  }

  /** The peer's end from the answer to our offer. */
  accept(remote: IceDtls): void {
    this.#obey(() => this.#connection.setRemoteDescription(formatRemoteEnd(remote, this.#options.mid), 'answer'));
    this.#limitConnecting();
  }

  /** Our end for the answer to an offer. */
  async answer(remote: IceDtls): Promise<IceDtls> {
    this.#obey(() => this.#connection.setRemoteDescription(formatRemoteEnd(remote, this.#options.mid), 'offer'));
    const local = await this.#gather(() => this.#connection.setLocalDescription('answer'));
    this.#limitConnecting();
    return local;
  }

  /** Drops the packet unless the link is open. The library copies it. */
  send(packet: Uint8Array): void {
    if (!this.open) return;
    try {
      this.#track.sendMessageBinary(Buffer.isBuffer(packet) ? packet : Buffer.from(packet));
    } catch {
      // Closed on the library's thread a moment ago: its news is on the way.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelLimit?.();
    this.#connection.close();
  }

  async #gather(begin: () => void): Promise<IceDtls> {
    const done = deferred<void>();
    this.#connection.onGatheringStateChange((state) => {
      if (state === 'complete') done.resolve();
    });
    this.#obey(begin);
    const cancel = after(this.#options.clock, GATHERING_LIMIT_MS, () => done.resolve());
    await done.promise;
    cancel();
    const sdp = this.#closed ? undefined : this.#connection.localDescription()?.sdp;
    const local = sdp === undefined ? undefined : readDescription(sdp).media[0]?.iceDtls;
    if (local === undefined || local.candidates.length === 0) {
      const { bindAddress, port } = this.#options;
      throw new MediaError(
        'no-ports',
        `UDP port ${port} at ${bindAddress} cannot be used: is the address one of ours?`,
      );
    }
    return local;
  }

  /** What the library throws here is about what it was given. */
  #obey(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw new MediaError('not-acceptable', `description of the peer's connection: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  #limitConnecting(): void {
    if (this.#open || this.#closed) return;
    this.#cancelLimit = after(this.#options.clock, CONNECTING_LIMIT_MS, () => this.#down('unreachable'));
  }

  #opened(): void {
    if (this.#closed) return;
    this.#cancelLimit?.();
    this.#open = true;
    const pair = this.#connection.getSelectedCandidatePair();
    if (pair !== null) this.#remote = { address: pair.remote.address, port: pair.remote.port };
    this.#options.onOpen();
  }

  #stateChanged(state: string): void {
    if (state === 'closed') this.#down(this.#open ? 'closed' : 'refused');
    else if (state === 'failed' || state === 'disconnected') this.#down(this.#reasonNow());
  }

  #reasonNow(): DisconnectReason {
    if (this.#open) return 'lost';
    if (this.#closed) return 'closed';
    const ice = this.#connection.iceState();
    return ice === 'connected' || ice === 'completed' ? 'refused' : 'unreachable';
  }

  #down(reason: DisconnectReason): void {
    if (this.#closed) return;
    this.close();
    this.#options.onDown(reason);
  }
}
