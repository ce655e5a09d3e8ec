import type { Clock } from '../base/clock.ts';
import type { Endpoint } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import type { IceDtls, LocalSource } from '../wire/sdp/ice-dtls.ts';
import type { LegTransport } from './leg-transport.ts';
import { MediaError } from './media-error.ts';
import type { Direction, DisconnectReason, LegEvent, WebRtcLegOptions } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import type { PacketPort } from './packet-port.ts';
import type { ClaimedPort } from './port-range.ts';
import { audioFrom, readDescription, SdpNegotiation, type LocalEnd } from './sdp-negotiation.ts';
import { advertised, reachable } from './webrtc-candidates.ts';
import { WebRtcLink } from './webrtc-link.ts';
import type { WebRtcLibrary } from './webrtc-library.ts';

export interface WebRtcTransportOptions {
  readonly leg: WebRtcLegOptions;
  readonly library: WebRtcLibrary;
  readonly clock: Clock;
  readonly random: Random;
  /** A port for one connection. */
  readonly claimPort: () => Promise<ClaimedPort>;
  /** What the leg sends; asked when a description needs it. */
  readonly source: () => LocalSource;
  readonly onEvent: (event: Extract<LegEvent, { kind: 'connected' | 'disconnected' }>) => void;
}

/** A link with its end of the descriptions and the peer's. */
interface Connection {
  readonly link: WebRtcLink;
  readonly port: ClaimedPort;
  local: IceDtls;
  /** Absent from our offer to the peer's answer. */
  remote: IceDtls | undefined;
}

/** RFC 8839 4.2.1.3: what stands for an address when there is none. */
const NOWHERE: LocalEnd = { address: '0.0.0.0', port: 9 };

/**
 * A browser's call: descriptions and at most two links, the one that carries packets and, after an ICE restart, the one
 * that will. The old one goes on until the new one is up.
 */
export class WebRtcTransport implements LegTransport, PacketPort {
  readonly port: PacketPort = this;
  readonly #options: WebRtcTransportOptions;
  readonly #negotiation: SdpNegotiation;
  #current: Connection | undefined;
  #next: Connection | undefined;
  #remote: Endpoint | undefined;
  #onRtp: (packet: Uint8Array) => void = () => undefined;
  #onRtcp: (packet: Uint8Array) => void = () => undefined;
  /** Descriptions are dealt with one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: WebRtcTransportOptions) {
    this.#options = options;
    this.#negotiation = new SdpNegotiation(options.random, NOWHERE);
  }

  get remote(): Endpoint | undefined {
    return this.#remote;
  }

  get ready(): boolean {
    return this.#current?.link.open === true;
  }

  offer(direction: Direction): Promise<string> {
    return this.#inTurn(async () => {
      const connection = this.#latest ?? (await this.#connect(OUR_MID, (link) => link.offer()));
      // RFC 8842 5.1: an offer leaves the choice, also when the association is there.
      this.#describe({ ...connection.local, setup: 'actpass' });
      return this.#negotiation.offer(direction);
    });
  }

  answered(sdp: string): Promise<NegotiatedAudio> {
    return this.#inTurn(async () => {
      const agreed = this.#negotiation.answered(readDescription(sdp));
      const remote = this.#reachable(agreed.secure?.iceDtls);
      const connection = this.#latest;
      if (connection === undefined)
        throw new MediaError('closed', 'an answer to a connection that is closed: offer anew');
      if (connection.remote === undefined) {
        if (remote.setup === 'actpass') {
          throw new MediaError('not-acceptable', 'answer: a=setup:actpass: want active or passive');
        }
        connection.link.accept(remote);
        connection.remote = remote;
        // RFC 8842 5.5: the roles stay in later descriptions.
        connection.local = { ...connection.local, setup: remote.setup === 'active' ? 'passive' : 'active' };
      } else if (!samePeer(connection.remote, remote)) {
        throw new MediaError('not-acceptable', 'answer: of another browser than the first: want an offer for each');
      }
      return Promise.resolve(audioFrom(agreed));
    });
  }

  answer(sdp: string): Promise<{ readonly sdp: string; readonly audio: NegotiatedAudio }> {
    return this.#inTurn(async () => {
      const offer = readDescription(sdp);
      this.#describe(NO_KEYS);
      const { secure } = this.#negotiation.wouldAgree(offer);
      const remote = this.#reachable(secure?.iceDtls);
      const known = this.#latest;
      const connection =
        known?.remote !== undefined && samePeer(known.remote, remote)
          ? known
          : await this.#connect(secure?.mid ?? OUR_MID, (link) => link.answer(remote), remote);
      this.#describe(connection.local);
      const answer = this.#negotiation.answer(offer);
      return { sdp: answer.sdp, audio: audioFrom(answer.agreed) };
    });
  }

  sendRtp(packet: Uint8Array): void {
    this.#current?.link.send(packet);
  }

  sendRtcp(packet: Uint8Array): void {
    this.#current?.link.send(packet);
  }

  onRtp(handler: (packet: Uint8Array) => void): void {
    this.#onRtp = handler;
  }

  onRtcp(handler: (packet: Uint8Array) => void): void {
    this.#onRtcp = handler;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#drop(this.#next);
    this.#drop(this.#current);
    await this.#turn.catch(() => undefined);
    this.#drop(this.#next);
  }

  get #latest(): Connection | undefined {
    return this.#next ?? this.#current;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #describe(local: IceDtls): void {
    const { leg, source } = this.#options;
    const candidates = advertised(local.candidates, leg);
    const [first] = candidates;
    const iceDtls = { ...local, candidates };
    const end = first === undefined ? NOWHERE : { address: first.address, port: first.port };
    this.#negotiation.end = { ...end, secure: { iceDtls, source: source() } };
  }

  #reachable(remote: IceDtls | undefined): IceDtls {
    if (remote === undefined) throw new MediaError('not-acceptable', 'no keys for the call: want those of WebRTC');
    return { ...remote, candidates: reachable(remote.candidates, this.#options.leg) };
  }

  /** Opens a link besides the one that carries packets; one that was still being opened is given up. */
  async #connect(mid: string, begin: (link: WebRtcLink) => Promise<IceDtls>, remote?: IceDtls): Promise<Connection> {
    const { leg, library, clock, claimPort } = this.#options;
    const port = await claimPort();
    let connection: Connection | undefined;
    const link = new WebRtcLink({
      library,
      clock,
      mid,
      bindAddress: leg.localAddress,
      port: port.port,
      sharedPort: leg.ownPort !== true,
      iceServers: leg.iceServers ?? [],
      onPacket: (packet) => this.#receive(packet),
      onOpen: () => this.#opened(connection),
      onDown: (reason) => this.#wentDown(connection, reason),
    });
    try {
      const local = await begin(link);
      if (this.#closed) throw new MediaError('closed', 'the leg was closed meanwhile');
      connection = { link, port, local, remote };
    } catch (error) {
      link.close();
      port.release();
      throw error;
    }
    this.#drop(this.#next);
    this.#next = connection;
    return connection;
  }

  #receive(packet: Uint8Array): void {
    const second = packet[1] ?? 0;
    // RFC 5761 4: packet types of RTCP seen as a second byte.
    if (second >= 192 && second <= 223) this.#onRtcp(packet);
    else this.#onRtp(packet);
  }

  #opened(connection: Connection | undefined): void {
    if (connection === undefined || connection !== this.#next) return;
    this.#drop(this.#current);
    this.#current = connection;
    this.#next = undefined;
    this.#remote = connection.link.remote ?? this.#remote;
    this.#options.onEvent({ kind: 'connected' });
  }

  /** The news is told when no other link is left that carries packets or may come to. */
  #wentDown(connection: Connection | undefined, reason: DisconnectReason): void {
    if (connection === undefined) return;
    this.#drop(connection);
    if (this.#latest === undefined && !this.#closed) this.#options.onEvent({ kind: 'disconnected', reason });
  }

  #drop(connection: Connection | undefined): void {
    if (connection === undefined) return;
    if (connection === this.#current) this.#current = undefined;
    if (connection === this.#next) this.#next = undefined;
    connection.link.close();
    connection.port.release();
  }
}

const OUR_MID = '0';
/** Stands for our end where only the peer's is looked at. */
const NO_KEYS: IceDtls = {
  ufrag: '',
  password: '',
  fingerprint: { algorithm: '', value: '' },
  setup: 'active',
  candidates: [],
};

/** RFC 8839 4.4.1.1.1, RFC 8842 4: other credentials restart ICE, another certificate means another association. */
function samePeer(one: IceDtls, other: IceDtls): boolean {
  return (
    one.ufrag === other.ufrag && one.password === other.password && one.fingerprint.value === other.fingerprint.value
  );
}
