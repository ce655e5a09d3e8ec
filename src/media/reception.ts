import { sequenceDistance, timestampDistance } from '../wire/rtp/packet.ts';

/** RFC 3550 A.1: larger steps are a restart of the sender. */
const MAX_DROPOUT = 3_000;
const MAX_MISORDER = 100;
const SEQUENCE_NUMBERS = 0x1_0000;

export interface ReceptionReport {
  readonly ssrc: number;
  /** Share lost since the last report, 0-255 (RFC 3550 6.4.1). */
  readonly fractionLost: number;
  readonly cumulativeLost: number;
  readonly highestSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
}

/** Counts what one peer sends: audio and key presses alike, since they share sequence numbers (RFC 3550 6.4.1, A.3, A.8). */
export class Reception {
  readonly #clockRate: number;
  #ssrc: number | undefined;
  #base = 0;
  #highest = 0;
  #receivedOnSource = 0;
  #lostBefore = 0;
  #received = 0;
  #jitter = 0;
  #lastArrival: number | undefined;
  #lastTimestamp = 0;
  #reportedExpected = 0;
  #reportedReceived = 0;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  /** `timed`: whether the timestamp is the packet's own (a key press keeps that of its start). */
  add(packet: { ssrc: number; sequence: number; timestamp: number }, arrivalMs: number, timed: boolean): void {
    this.#received += 1;
    const step = sequenceDistance(this.#highest & 0xffff, packet.sequence);
    if (packet.ssrc !== this.#ssrc || step > MAX_DROPOUT || step < -MAX_MISORDER) this.#begin(packet);
    else if (step > 0) this.#highest += step;
    this.#receivedOnSource += 1;
    if (timed) this.#measure(packet.timestamp, arrivalMs);
  }

  get packetsReceived(): number {
    return this.#received;
  }

  get packetsLost(): number {
    return this.#lostBefore + Math.max(0, this.#expected() - this.#receivedOnSource);
  }

  get jitterMs(): number {
    return (this.#jitter * 1_000) / this.#clockRate;
  }

  /** What a receiver report says of the current source; undefined before the first packet. Starts the next interval. */
  report(): ReceptionReport | undefined {
    if (this.#ssrc === undefined) return undefined;
    const expected = this.#expected() - this.#reportedExpected;
    const lost = expected - (this.#receivedOnSource - this.#reportedReceived);
    this.#reportedExpected = this.#expected();
    this.#reportedReceived = this.#receivedOnSource;
    return {
      ssrc: this.#ssrc,
      fractionLost: expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      cumulativeLost: this.packetsLost,
      highestSequence: this.#highest >>> 0,
      jitter: Math.round(this.#jitter),
    };
  }

  #begin(packet: { ssrc: number; sequence: number }): void {
    this.#lostBefore = this.packetsLost;
    this.#ssrc = packet.ssrc;
    this.#base = SEQUENCE_NUMBERS + packet.sequence;
    this.#highest = this.#base;
    this.#receivedOnSource = 0;
    this.#reportedExpected = 0;
    this.#reportedReceived = 0;
    this.#lastArrival = undefined;
  }

  #expected(): number {
    return this.#ssrc === undefined ? 0 : this.#highest - this.#base + 1;
  }

  #measure(timestamp: number, arrivalMs: number): void {
    const arrival = (arrivalMs * this.#clockRate) / 1_000;
    if (this.#lastArrival !== undefined) {
      const moved = timestampDistance(this.#lastTimestamp, timestamp);
      const difference = Math.abs(arrival - this.#lastArrival - moved);
      // A new time line is no jitter.
      if (difference < this.#clockRate) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#lastArrival = arrival;
    this.#lastTimestamp = timestamp;
  }
}
