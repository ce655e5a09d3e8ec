import type { Clock } from '../base/clock.ts';
import { randomHex, randomUnit, type Random } from '../base/random.ts';
import { buildRtcp, middleOfNtp, ntpTime, parseRtcp, type ReportBlock, type SenderReport } from '../wire/rtp/rtcp.ts';
import type { AudioSender } from './audio-sender.ts';
import type { PacketPort } from './packet-port.ts';
import type { Reception } from './reception.ts';

export interface LegRtcpOptions {
  readonly port: PacketPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly sender: AudioSender;
  readonly reception: Reception;
}

/** RFC 3550 6.2: five seconds on average, spread from half to one and a half so that reports do not fall together. */
const INTERVAL_MS = 5_000;
const CNAME_BYTES = 8;
const DELAY_UNITS_PER_MS = 65.536;

/** The reports that one leg sends about itself and its peer, and what it remembers of the peer's. */
export class LegRtcp {
  readonly #options: LegRtcpOptions;
  /** RFC 7022 4.2: random, and the same for the whole leg. */
  readonly cname: string;
  #dueMs: number | undefined;
  #reportedPackets = 0;
  #sentAny = false;
  #lastSenderReport: { readonly middle: number; readonly arrivalMs: number } | undefined;

  constructor(options: LegRtcpOptions) {
    this.#options = options;
    this.cname = randomHex(options.random, CNAME_BYTES);
  }

  /** Sends a report when one is due; the first one an interval after packets can go out. */
  tick(nowMs: number): void {
    if (!this.#options.port.ready) return;
    this.#dueMs ??= nowMs + this.#interval();
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + this.#interval();
    this.#sentAny = true;
    this.#options.port.sendRtcp(buildRtcp([this.#report(nowMs), this.#description()]));
  }

  /** Takes the peer's reports; what is no RTCP is dropped. */
  receive(bytes: Uint8Array): void {
    const parsed = parseRtcp(bytes);
    if (parsed.kind !== 'ok') return;
    for (const packet of parsed.value) {
      if (packet.kind !== 'sender-report' || packet.ssrc !== this.#options.reception.ssrc) continue;
      const middle = middleOfNtp(packet.ntpSeconds, packet.ntpFraction);
      this.#lastSenderReport = { middle, arrivalMs: this.#options.clock.now() };
    }
  }

  /** Takes leave, when the peer has heard of us (RFC 3550 6.3.7). */
  bye(): void {
    if (!this.#sentAny) return;
    const { clock, port, sender } = this.#options;
    const report = this.#report(clock.now());
    port.sendRtcp(buildRtcp([report, this.#description(), { kind: 'bye', sources: [sender.ssrc] }]));
  }

  #interval(): number {
    return INTERVAL_MS * (0.5 + randomUnit(this.#options.random));
  }

  /** RFC 3550 6.4: a sender report from whoever has sent since the last one, else a receiver report. */
  #report(nowMs: number): SenderReport | { kind: 'receiver-report'; ssrc: number; reports: readonly ReportBlock[] } {
    const { sender } = this.#options;
    const reports = this.#blocks(nowMs);
    const sent = sender.packets > this.#reportedPackets;
    this.#reportedPackets = sender.packets;
    if (!sent) return { kind: 'receiver-report', ssrc: sender.ssrc, reports };
    const { seconds, fraction } = ntpTime(nowMs);
    return {
      kind: 'sender-report',
      ssrc: sender.ssrc,
      ntpSeconds: seconds,
      ntpFraction: fraction,
      rtpTimestamp: sender.timestamp,
      packetCount: sender.packets >>> 0,
      octetCount: sender.octets >>> 0,
      reports,
    };
  }

  #blocks(nowMs: number): readonly ReportBlock[] {
    const report = this.#options.reception.report();
    if (report === undefined) return [];
    const last = this.#lastSenderReport;
    const delay = last === undefined ? 0 : Math.round((nowMs - last.arrivalMs) * DELAY_UNITS_PER_MS) >>> 0;
    return [{ ...report, lastSenderReport: last?.middle ?? 0, delaySinceLast: delay }];
  }

  #description(): Parameters<typeof buildRtcp>[0][number] {
    return { kind: 'source-description', sources: [{ ssrc: this.#options.sender.ssrc, cname: this.cname }] };
  }
}
