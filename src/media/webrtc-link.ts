import type { PeerConnection, Track } from 'node-datachannel';
import { after, type Cancel, type Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { errorText } from '../base/errors.ts';
import type { Endpoint } from '../base/network.ts';
import type { IceCandidate, IceDtls } from '../wire/sdp/ice-dtls.ts';
import { MediaError } from './media-error.ts';
import type { DisconnectReason } from './media-node.ts';
import { readDescription } from './sdp-negotiation.ts';
import type { OwnEnd } from './webrtc-end.ts';
import type { WebRtcLibrary } from './webrtc-library.ts';
import { formatRemoteEnd } from './webrtc-remote-end.ts';

export interface WebRtcLinkOptions {
  readonly library: WebRtcLibrary;
  readonly clock: Clock;
  readonly end: OwnEnd;
  readonly bindAddress: string;
  /** Whether the port serves other links of this process too. */
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
const CONNECTING_LIMIT_MS = 20_000;
const VERDICT_MS = 50;

/**
 * One connection with a browser whose end is known: an ICE session and the DTLS association and SRTP keys upon it. The
 * library cannot restart ICE, so a restart is another link, whose certificate is a new one (RFC 8842 4: then DTLS begins
 * anew, too).
 *
 * For the library we are always the answerer, also where the browser answered us: it opens its socket only then, when
 * the peer's fingerprint is known to it. An offerer's socket is open before, and a handshake that is quicker than the
 * thread that takes the answer fails for want of the fingerprint. That both ends take themselves for ICE's controlled
 * one is settled by RFC 8445 7.3.1.1.
 */
export class WebRtcLink {
  readonly #options: WebRtcLinkOptions;
  readonly #connection: PeerConnection;
  readonly #track: Track;
  readonly #detachable: { listener: LinkListener | undefined } = { listener: undefined };
  /** The last state of ICE before its end. */
  #ice = 'new';
  #cancelLimit: Cancel | undefined;
  #open = false;
  #closed = false;
  #remote: Endpoint | undefined;

  constructor(options: WebRtcLinkOptions) {
    this.#options = options;
    const { library, end, bindAddress, sharedPort, iceServers, mid } = options;
    this.#connection = new library.PeerConnection('leg', {
      iceServers: [...iceServers],
      bindAddress,
      portRangeBegin: end.port.port,
      portRangeEnd: end.port.port,
      enableIceUdpMux: sharedPort,
      disableAutoNegotiation: true,
      certificatePemFile: end.certificate.certificatePem,
      keyPemFile: end.certificate.keyPem,
    });
    // What is sent and received is settled by our own descriptions; the library only must not refuse it.
    const audio = new library.Audio(mid, 'SendRecv');
    audio.addAudioCodec(0, 'PCMU/8000');
    this.#track = this.#connection.addTrack(audio);
    this.#detachable.listener = {
      packet: (packet) => options.onPacket(packet),
      opened: () => this.#opened(),
      changed: (state) => this.#stateChanged(state),
      iceChanged: (state) => {
        if (state !== 'closed') this.#ice = state;
      },
    };
    listen(this.#connection, this.#track, this.#detachable);
  }

  /** Whether packets pass. */
  get open(): boolean {
    return this.#open && !this.#closed;
  }

  /** The peer's address that ICE chose. */
  get remote(): Endpoint | undefined {
    return this.#remote;
  }

  /** Begins to connect, and tells our candidates. Rejects with MediaError `no-ports` or `not-acceptable`. */
  async connect(remote: IceDtls): Promise<readonly IceCandidate[]> {
    const { clock, end, mid, bindAddress } = this.#options;
    const gathered = deferred<void>();
    this.#connection.onGatheringStateChange((state) => {
      if (state === 'complete') gathered.resolve();
    });
    try {
      this.#connection.setRemoteDescription(formatRemoteEnd(remote, mid), 'offer');
      this.#connection.setLocalDescription('answer', { iceUfrag: end.ufrag, icePwd: end.password });
    } catch (error) {
      // What the library throws here is about what it was given.
      const message = `description of the peer's connection: ${errorText(error)}`;
      throw new MediaError('not-acceptable', message, { cause: error });
    }
    const cancel = after(clock, GATHERING_LIMIT_MS, () => gathered.resolve());
    await gathered.promise;
    cancel();
    const sdp = this.#closed ? undefined : this.#connection.localDescription()?.sdp;
    const candidates = sdp === undefined ? [] : (readDescription(sdp).media[0]?.iceDtls?.candidates ?? []);
    if (candidates.length === 0) {
      const address = `${bindAddress}, port ${end.port.port}`;
      throw new MediaError('no-ports', `UDP at ${address} cannot be used: want an address of this machine`);
    }
    this.#limitConnecting();
    return candidates;
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
    this.#detachable.listener = undefined;
    this.#connection.close();
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
    if (state !== 'closed' && state !== 'failed' && state !== 'disconnected') return;
    // What ICE thinks comes by another queue of the library's, often a moment later, and tells the reason.
    after(this.#options.clock, VERDICT_MS, () => this.#down(this.#reasonNow()));
  }

  #reasonNow(): DisconnectReason {
    const answers = this.#ice === 'connected' || this.#ice === 'completed';
    // The peer's DTLS takes leave, or refuses, while ICE still hears it.
    if (this.#open) return answers ? 'closed' : 'lost';
    return answers ? 'refused' : 'unreachable';
  }

  #down(reason: DisconnectReason): void {
    if (this.#closed) return;
    this.close();
    this.#options.onDown(reason);
  }
}

/** What the library tells of one connection. */
interface LinkListener {
  readonly packet: (packet: Uint8Array) => void;
  readonly opened: () => void;
  readonly changed: (state: string) => void;
  readonly iceChanged: (state: string) => void;
}

/**
 * The library never lets go of the functions it was given (0.33.4: a few kilobytes for each connection). They lead to the
 * leg only while the link is open, so that the leg with its buffers does not stay in memory, too.
 */
function listen(connection: PeerConnection, track: Track, to: { readonly listener: LinkListener | undefined }): void {
  track.onMessage((packet) => to.listener?.packet(packet));
  track.onOpen(() => to.listener?.opened());
  connection.onStateChange((state) => to.listener?.changed(state));
  connection.onIceStateChange((state) => to.listener?.iceChanged(state));
}
