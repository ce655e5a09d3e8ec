import type { Clock } from '../base/clock.ts';
import type { Endpoint } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import type { IceCandidate, IceDtls, LocalSource } from '../wire/sdp/ice-dtls.ts';
import type { LegTransport } from './leg-transport.ts';
import { MediaError } from './media-error.ts';
import type { Direction, DisconnectReason, LegEvent, WebRtcLegOptions } from './media-node.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import { PacketLimit, WEBRTC_LIMITS } from './packet-limit.ts';
import type { PacketPort } from './packet-port.ts';
import type { ClaimedPort } from './port-range.ts';
import { audioFrom, readDescription, SdpNegotiation, type LocalEnd } from './sdp-negotiation.ts';
import { hostCandidates, reachable } from './webrtc-candidates.ts';
import { makeOwnEnd, type OwnEnd } from './webrtc-end.ts';
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

/** A link with both ends of the descriptions. */
interface Connection {
  readonly link: WebRtcLink;
  readonly end: OwnEnd;
  readonly local: IceDtls;
  readonly remote: IceDtls;
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
  readonly #limit: PacketLimit;
  #current: Connection | undefined;
  #next: Connection | undefined;
  /** Our end of an offer that no answer has come to. */
  #offered: OwnEnd | undefined;
  #remote: Endpoint | undefined;
  #onRtp: (packet: Uint8Array) => void = () => undefined;
  #onRtcp: (packet: Uint8Array) => void = () => undefined;
  /** Descriptions are dealt with one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: WebRtcTransportOptions) {
    this.#options = options;
    this.#negotiation = new SdpNegotiation(options.random, NOWHERE);
    this.#limit = new PacketLimit(options.clock, WEBRTC_LIMITS);
  }

  get remote(): Endpoint | undefined {
    return this.#remote;
  }

  get ready(): boolean {
    return this.#current?.link.open === true;
  }

  offer(direction: Direction): Promise<string> {
    return this.#inTurn(async () => {
      const known = this.#latest;
      const end = known?.end ?? (this.#offered ??= await this.#makeEnd());
      // RFC 8842 5.1: an offer leaves the choice, also when the association is there.
      this.#describe({ ...(known?.local ?? this.#localEnd(end, [])), setup: 'actpass' });
      return this.#negotiation.offer(direction);
    });
  }

  answered(sdp: string): Promise<NegotiatedAudio> {
    return this.#inTurn(async () => {
      const agreed = this.#negotiation.answered(readDescription(sdp));
      const remote = this.#checked(agreed.secure?.iceDtls);
      if (remote.setup === 'actpass') {
        throw new MediaError('not-acceptable', 'answer: a=setup:actpass: want active or passive');
      }
      if (this.#offered !== undefined) {
        const end = this.#offered;
        this.#offered = undefined;
        await this.#connect(end, agreed.secure?.mid ?? OUR_MID, remote);
      } else if (this.#latest === undefined) {
        throw new MediaError('not-acceptable', 'an answer for a connection that is gone: offer anew');
      } else if (!samePeer(this.#latest.remote, remote)) {
        throw new MediaError('not-acceptable', 'answer: of another browser than the first: want an offer for each');
      }
      return audioFrom(agreed);
    });
  }

  answer(sdp: string): Promise<{ readonly sdp: string; readonly audio: NegotiatedAudio }> {
    return this.#inTurn(async () => {
      const offer = readDescription(sdp);
      this.#describe(NO_KEYS);
      const { secure } = this.#negotiation.wouldAgree(offer);
      const remote = this.#checked(secure?.iceDtls);
      let connection = this.#latest;
      if (connection === undefined || !samePeer(connection.remote, remote)) {
        connection = await this.#connect(await this.#makeEnd(), secure?.mid ?? OUR_MID, remote);
      }
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
    this.#offered?.port.release();
    this.#offered = undefined;
  }

  get #latest(): Connection | undefined {
    return this.#next ?? this.#current;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #makeEnd(): Promise<OwnEnd> {
    const { claimPort, random, clock } = this.#options;
    return makeOwnEnd(await claimPort(), random, clock.now());
  }

  /** Our end as descriptions tell it. `gathered`: what the library found, addresses that others see us under. */
  #localEnd(end: OwnEnd, gathered: readonly IceCandidate[], setup: IceDtls['setup'] = 'active'): IceDtls {
    const { ufrag, password, certificate, port } = end;
    const others = gathered.filter(({ type }) => type !== 'host');
    const candidates = [...hostCandidates(port.port, this.#options.leg), ...others];
    return { ufrag, password, fingerprint: certificate.fingerprint, setup, candidates };
  }

  #describe(iceDtls: IceDtls): void {
    const [first] = iceDtls.candidates;
    const at = first === undefined ? NOWHERE : { address: first.address, port: first.port };
    this.#negotiation.end = { ...at, secure: { iceDtls, source: this.#options.source() } };
  }

  #checked(remote: IceDtls | undefined): IceDtls {
    if (remote === undefined) throw new MediaError('not-acceptable', 'no keys for the call: want those of WebRTC');
    return { ...remote, candidates: reachable(remote.candidates, this.#options.leg) };
  }

  /** Opens a link besides the one that carries packets; one that was still connecting is given up. */
  async #connect(end: OwnEnd, mid: string, remote: IceDtls): Promise<Connection> {
    const { leg, library, clock } = this.#options;
    const link = new WebRtcLink({
      library,
      clock,
      end,
      mid,
      bindAddress: leg.localAddress,
      sharedPort: leg.ownPort !== true,
      iceServers: leg.iceServers ?? [],
      onPacket: (packet) => this.#receive(packet),
      onOpen: () => this.#opened(link),
      onDown: (reason) => this.#wentDown(link, reason),
    });
    try {
      const gathered = await link.connect(remote);
      if (this.#closed) throw new MediaError('closed', 'the leg was closed meanwhile');
      // RFC 8842 5.3: the role that the peer left to us, or the other one.
      const local = this.#localEnd(end, gathered, remote.setup === 'active' ? 'passive' : 'active');
      this.#drop(this.#next);
      const connection = { link, end, local, remote };
      this.#next = connection;
      // On one machine the connection may be there already.
      if (link.open) this.#opened(link);
      return connection;
    } catch (error) {
      link.close();
      end.port.release();
      throw error;
    }
  }

  #receive(packet: Uint8Array): void {
    if (!this.#limit.admits(packet)) return;
    const second = packet[1] ?? 0;
    // RFC 5761 4: packet types of RTCP seen as a second byte.
    if (second >= 192 && second <= 223) this.#onRtcp(packet);
    else this.#onRtp(packet);
  }

  #opened(link: WebRtcLink): void {
    const next = this.#next;
    if (next?.link !== link) return;
    this.#drop(this.#current);
    this.#current = next;
    this.#next = undefined;
    this.#remote = link.remote ?? this.#remote;
    this.#options.onEvent({ kind: 'connected' });
  }

  /** The news is told when no other link is left that carries packets or may come to. */
  #wentDown(link: WebRtcLink, reason: DisconnectReason): void {
    const connection = [this.#current, this.#next].find((each) => each?.link === link);
    if (connection === undefined) return;
    this.#drop(connection);
    if (this.#latest === undefined && !this.#closed) this.#options.onEvent({ kind: 'disconnected', reason });
  }

  #drop(connection: Connection | undefined): void {
    if (connection === undefined) return;
    if (connection === this.#current) this.#current = undefined;
    if (connection === this.#next) this.#next = undefined;
    connection.link.close();
    connection.end.port.release();
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
