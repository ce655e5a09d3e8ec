import { after, type Cancel, type Clock } from '../../base/clock.ts';
import type { DatagramSocket, Endpoint } from '../../base/network.ts';
import { randomInteger, type Random } from '../../base/random.ts';
import { nodeNetwork } from '../../sip/node-network.ts';
import { RTP_HEADER_BYTES, RtpPacketView, writeRtpHeader } from '../../wire/rtp/packet.ts';
import { parseSessionDescription } from '../../wire/sdp/session.ts';
import { SoundTally, type SoundFigures } from './sound-tally.ts';

const FRAME_MS = 20;
const FRAME_BYTES = 160;
const PCMU = 0;
/** Mu-law for no sound at all (G.711). */
const SILENCE = 0xff;

/** One call's sound: PCMU both ways, 50 packets a second. */
export class SoundPort {
  readonly #socket: DatagramSocket;
  readonly #clock: Clock;
  readonly #tally = new SoundTally();
  readonly #packet = new Uint8Array(RTP_HEADER_BYTES + FRAME_BYTES).fill(SILENCE);
  readonly #header: { payloadType: number; marker: boolean; sequence: number; timestamp: number; ssrc: number };
  #stop: Cancel = () => undefined;
  #sent = 0;

  static async open(address: string, ports: { readonly clock: Clock; readonly random: Random }): Promise<SoundPort> {
    return new SoundPort(await nodeNetwork.bindDatagram({ address, port: 0 }), ports);
  }

  private constructor(socket: DatagramSocket, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#socket = socket;
    this.#clock = clock;
    const [sequence, timestamp] = [randomInteger(random, 0, 0xffff), randomInteger(random, 0, 0xffff_ffff)];
    const ssrc = randomInteger(random, 1, 0xffff_ffff);
    this.#header = { payloadType: PCMU, marker: false, sequence, timestamp, ssrc };
    const view = new RtpPacketView();
    socket.onMessage((bytes) => {
      if (view.read(bytes) === undefined && view.payloadType === PCMU) this.#tally.add(view, clock.now());
    });
    socket.onError(() => undefined);
  }

  get offer(): string {
    return audioOffer(this.#socket.local);
  }

  get sent(): number {
    return this.#sent;
  }

  /** Sends to where the answer says, from now on; false when it says nowhere. */
  begin(answer: string): boolean {
    const to = audioTarget(answer);
    if (to === undefined) return false;
    const startMs = this.#clock.now();
    const beat = (): void => {
      // The beat is computed from the start: late timers do not add up.
      const due = Math.floor((this.#clock.now() - startMs) / FRAME_MS) + 1;
      while (this.#sent < due) this.#send(to);
      this.#stop = this.#clock.at(startMs + this.#sent * FRAME_MS, beat);
    };
    this.#stop = after(this.#clock, 0, beat);
    return true;
  }

  async close(): Promise<SoundFigures> {
    this.#stop();
    await this.#socket.close();
    return this.#tally.figures();
  }

  #send(to: Endpoint): void {
    writeRtpHeader(this.#packet, this.#header);
    // The socket reads the bytes later: the next frame must not be written over them.
    this.#socket.send(this.#packet.slice(), to);
    this.#header.sequence = (this.#header.sequence + 1) & 0xffff;
    this.#header.timestamp = (this.#header.timestamp + FRAME_BYTES) >>> 0;
    this.#sent += 1;
  }
}

/** An offer of PCMU at this address. */
export function audioOffer({ address, port }: Endpoint): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const lines = ['v=0', `o=- 1 1 IN ${family} ${address}`, 's=-', `c=IN ${family} ${address}`, 't=0 0'];
  return [...lines, `m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', 'a=ptime:20', ''].join('\r\n');
}

/** Where an answer wants its sound. */
function audioTarget(answer: string): Endpoint | undefined {
  const parsed = parseSessionDescription(answer);
  const section = parsed.kind === 'ok' ? parsed.value.media.find(({ type }) => type === 'audio') : undefined;
  if (section === undefined || section.port === 0 || section.address === undefined) return undefined;
  return { address: section.address, port: section.port };
}
