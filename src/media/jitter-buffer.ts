import { sequenceDistance, timestampDistance } from '../wire/rtp/packet.ts';
import { DelayEstimator } from './delay-estimator.ts';
import { LossConcealment } from './loss-concealment.ts';
import { lengthen, shorten, stretchableSamples, stretchMargin } from './time-stretch.ts';

/** One received packet of audio, already decoded. */
export interface JitterPacket {
  readonly ssrc: number;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits, one unit a sample. */
  readonly timestamp: number;
  readonly marker: boolean;
  /** On the clock of `pull`. */
  readonly arrivalMs: number;
  /** Any length up to MAX_PACKET_MS; copied. */
  readonly samples: Int16Array;
}

export type PushOutcome =
  | 'stored'
  /** Its time to play had passed. */
  | 'late'
  | 'duplicate'
  /** From a second source while the first is still sending. */
  | 'other-source'
  /** Empty, or longer than MAX_PACKET_MS. */
  | 'unusable';

/**
 * What a pulled frame is made of: `audio` (all of it arrived), `concealed` (partly or wholly guessed), `silence` (the
 * peer sends nothing: before its first packet, or in a pause).
 */
export type PullOutcome = 'audio' | 'concealed' | 'silence';

export interface JitterStatistics {
  readonly packetsReceived: number;
  /** Expected minus received (RFC 3550 A.3), never below 0. */
  readonly packetsLost: number;
  /** Arrived, but after their time; not in `packetsLost`. */
  readonly packetsLate: number;
  readonly packetsDuplicate: number;
  readonly framesConcealed: number;
  /** Interarrival jitter (RFC 3550 A.8). */
  readonly jitterMs: number;
  /** The wait that the buffer aims at now. */
  readonly targetMs: number;
  /** Of the newest packet, with the wraps counted in the upper 16 bits, as a receiver report wants it. */
  readonly highestSequence: number;
  /** Undefined before the first packet. */
  readonly ssrc: number | undefined;
}

export interface JitterBufferOptions {
  readonly sampleRate?: number;
  /** Bounds of the wait. */
  readonly minimumMs?: number;
  readonly maximumMs?: number;
}

const DEFAULT_SAMPLE_RATE = 8000;
const DEFAULT_MINIMUM_MS = 40;
const DEFAULT_MAXIMUM_MS = 400;
export const MAX_PACKET_MS = 200;
/** A frame is taken whole, so its last sample must be there when its first is due. */
const FRAME_MS = 20;
/** Guessed sound longer than this is a drone; then silence. */
const MAX_CONCEAL_MS = 60;
/** A packet this far from where the one before says it belongs starts a new time line. */
const RESYNC_MS = 500;
/** A marker tells the start of speech after a pause (RFC 3551 4.1), when a sender may have set its timestamps anew. */
const MARKER_RESYNC_MS = 60;
/** RFC 3550 A.1 MAX_DROPOUT: a larger step in sequence numbers is a restart of the sender, not loss. */
const MAX_DROPOUT = 3000;
/** RFC 3550 A.1 MAX_MISORDER. */
const MAX_MISORDER = 100;
const SEEN_PACKETS = 256;
/** A new source takes over after so many packets in a row, or at once when the old one has been still for so long. */
const TAKE_OVER_PACKETS = 3;
const TAKE_OVER_MS = 100;
/** A wait that is longer than its target harms little, one that is shorter loses packets. */
const SLACK_LONG_MS = 15;
const SLACK_SHORT_MS = 2;
/** So rare a shortening follows a drift of 1 % and is not heard. */
const SHORTEN_EVERY_MS = 200;
const LENGTHEN_EVERY_MS = 40;
/** So far above its target, every frame is shortened. */
const HURRY_MS = 80;
/** Where positions on a time line start: small, so that they stay machine integers for days. */
const FIRST_POSITION = 1 << 24;
const WRAP_16 = 0x1_0000;

/**
 * Turns packets that come unevenly into an even stream. A ring of samples addressed by RTP timestamp, so packet sizes
 * may differ and change, order and repeats do not matter, and pauses are places that hold nothing. The wait follows the
 * measured delay; the play-out point follows the wait by stretching the sound slightly, which takes up clock drift too.
 */
export class JitterBuffer {
  readonly #rate: number;
  readonly #minimumMs: number;
  readonly #maximumMs: number;
  readonly #ring: Int16Array;
  /** 1 where the ring holds a sample that arrived and is not yet played: only between `#play` and `#end`. */
  readonly #filled: Uint8Array;
  readonly #mask: number;
  readonly #delays = new DelayEstimator();
  readonly #concealment: LossConcealment;
  readonly #seen = new Float64Array(SEEN_PACKETS).fill(-1);
  readonly #scratch: Int16Array;

  #ssrc: number | undefined;
  #rival: number | undefined;
  #rivalPackets = 0;
  /** Extended sequence numbers, starting one wrap up so that packets from before the first stay positive. */
  #lowest = 0;
  #highest = 0;
  #lastTimestamp = 0;
  /** Position of the last timestamp on the time line of samples; positions do not wrap. */
  #lastExtended = 0;
  #lastTransit = 0;
  #lastArrivalMs = 0;

  /** Position of the next sample to play; undefined before the first packet and in a pause. */
  #play: number | undefined;
  /** Oldest and one past the newest sample held. */
  #start = 0;
  #end = 0;
  /** Samples guessed for a time that may still arrive, since nothing newer had. */
  #borrowed = 0;
  #concealedRun = 0;
  #nextStretchMs = 0;

  #received = 0;
  #receivedOnLine = 0;
  #lostBefore = 0;
  #late = 0;
  #duplicates = 0;
  #framesConcealed = 0;
  #jitterMs = 0;

  constructor(options: JitterBufferOptions = {}) {
    this.#rate = options.sampleRate ?? DEFAULT_SAMPLE_RATE;
    this.#minimumMs = options.minimumMs ?? DEFAULT_MINIMUM_MS;
    this.#maximumMs = options.maximumMs ?? DEFAULT_MAXIMUM_MS;
    // A power of two, so that a mask cuts a position to its place.
    const size = 2 ** Math.ceil(Math.log2(this.#samples(2 * (this.#maximumMs + RESYNC_MS))));
    this.#ring = new Int16Array(size);
    this.#filled = new Uint8Array(size);
    this.#mask = size - 1;
    this.#concealment = new LossConcealment(this.#rate);
    this.#scratch = new Int16Array(this.#samples(MAX_PACKET_MS) + stretchMargin(this.#rate));
  }

  push(packet: JitterPacket): PushOutcome {
    const length = packet.samples.length;
    if (length === 0 || length > this.#samples(MAX_PACKET_MS)) return 'unusable';
    if (!this.#acceptsSource(packet)) return 'other-source';
    this.#received += 1;
    const sequence = this.#extendSequence(packet);
    const slot = sequence % SEEN_PACKETS;
    if (this.#seen[slot] === sequence) {
      this.#duplicates += 1;
      return 'duplicate';
    }
    this.#seen[slot] = sequence;
    this.#receivedOnLine += 1;
    const start = this.#extendTimestamp(packet);
    if (this.#play !== undefined && start + length <= this.#play) {
      this.#late += 1;
      return 'late';
    }
    this.#store(start, packet.samples);
    return 'stored';
  }

  /** Fills `into` (normally 20 ms, at most MAX_PACKET_MS) with what comes next. Call it once per frame time. */
  pull(nowMs: number, into: Int16Array): PullOutcome {
    if (this.#play === undefined && !this.#startPlaying(nowMs)) return this.#silence(into);
    const outcome = this.#take(nowMs, into);
    if (outcome === 'concealed') this.#framesConcealed += 1;
    return outcome;
  }

  statistics(): JitterStatistics {
    return {
      packetsReceived: this.#received,
      packetsLost: Math.max(0, this.#lostBefore + this.#lostOnLine()),
      packetsLate: this.#late,
      packetsDuplicate: this.#duplicates,
      framesConcealed: this.#framesConcealed,
      jitterMs: this.#jitterMs,
      targetMs: this.#targetMs(),
      highestSequence: Math.max(0, this.#highest - WRAP_16) >>> 0,
      ssrc: this.#ssrc,
    };
  }

  #samples(ms: number): number {
    return Math.round((ms * this.#rate) / 1000);
  }

  #targetMs(): number {
    return Math.min(this.#maximumMs, Math.max(this.#minimumMs, this.#delays.spreadMs() + FRAME_MS));
  }

  /** The sample that should be playing at `nowMs`. */
  #duePoint(nowMs: number): number {
    return Math.round(((nowMs - this.#delays.minimumMs() - this.#targetMs()) * this.#rate) / 1000);
  }

  #lostOnLine(): number {
    return this.#ssrc === undefined ? 0 : this.#highest - this.#lowest + 1 - this.#receivedOnLine;
  }

  #acceptsSource(packet: JitterPacket): boolean {
    if (packet.ssrc === this.#ssrc) {
      this.#rivalPackets = 0;
      return true;
    }
    if (packet.ssrc !== this.#rival) this.#rivalPackets = 0;
    this.#rival = packet.ssrc;
    this.#rivalPackets += 1;
    const still = this.#ssrc === undefined || packet.arrivalMs - this.#lastArrivalMs >= TAKE_OVER_MS;
    if (!still && this.#rivalPackets < TAKE_OVER_PACKETS) return false;
    this.#startLine(packet);
    return true;
  }

  /** A new source or a restarted one: its numbers cannot be compared with the old ones. */
  #startLine(packet: JitterPacket): void {
    this.#lostBefore += Math.max(0, this.#lostOnLine());
    this.#ssrc = packet.ssrc;
    this.#rivalPackets = 0;
    this.#lowest = WRAP_16 + packet.sequence;
    this.#highest = this.#lowest;
    this.#receivedOnLine = 0;
    this.#seen.fill(-1);
    this.#startTime(packet);
  }

  /** Timestamps start anew; what waited to be played is dropped. */
  #startTime(packet: JitterPacket): void {
    this.#lastTimestamp = packet.timestamp;
    this.#lastExtended = FIRST_POSITION;
    this.#lastTransit = this.#transitMs(packet.arrivalMs, this.#lastExtended);
    this.#delays.reset();
    this.#filled.fill(0);
    this.#pause();
  }

  #pause(): void {
    this.#play = undefined;
    this.#start = 0;
    this.#end = 0;
    this.#borrowed = 0;
    this.#concealedRun = 0;
  }

  #extendSequence(packet: JitterPacket): number {
    const distance = sequenceDistance(this.#highest & 0xffff, packet.sequence);
    if (distance > MAX_DROPOUT || distance < -MAX_MISORDER) this.#startLine(packet);
    else {
      const sequence = this.#highest + distance;
      this.#highest = Math.max(this.#highest, sequence);
      this.#lowest = Math.min(this.#lowest, sequence);
      return sequence;
    }
    return this.#highest;
  }

  #extendTimestamp(packet: JitterPacket): number {
    this.#lastArrivalMs = packet.arrivalMs;
    const extended = this.#lastExtended + timestampDistance(this.#lastTimestamp, packet.timestamp);
    const transit = this.#transitMs(packet.arrivalMs, extended);
    const difference = Math.abs(transit - this.#lastTransit);
    if (difference > (packet.marker ? MARKER_RESYNC_MS : RESYNC_MS)) {
      this.#startTime(packet);
      this.#delays.add(this.#lastTransit);
      return this.#lastExtended;
    }
    this.#jitterMs += (difference - this.#jitterMs) / 16;
    this.#lastTransit = transit;
    this.#lastTimestamp = packet.timestamp;
    this.#lastExtended = extended;
    this.#delays.add(transit);
    return extended;
  }

  /** How much later than its timestamp says a packet came, on an arbitrary zero. */
  #transitMs(arrivalMs: number, extended: number): number {
    return arrivalMs - (extended * 1000) / this.#rate;
  }

  #store(start: number, samples: Int16Array): void {
    const size = this.#ring.length;
    const end = start + samples.length;
    this.#start = this.#end === 0 ? start : Math.min(this.#start, start);
    const oldest = this.#play ?? this.#start;
    // Nobody pulls, or the wait is hopeless: the oldest gives way, since two turns of the ring must not mix.
    if (end - oldest > size) this.#skipTo(end - Math.min(size, this.#samples(this.#targetMs())));
    for (let at = Math.max(start, this.#play ?? start); at < end; at++) {
      this.#ring[at & this.#mask] = samples[at - start] as number;
      this.#filled[at & this.#mask] = 1;
    }
    this.#end = Math.max(this.#end, end);
  }

  /** Drops what is older than `point`. */
  #skipTo(point: number): void {
    const from = this.#play ?? this.#start;
    this.#forget(from, Math.min(point, from + this.#filled.length));
    if (this.#play !== undefined) this.#play = point;
    this.#start = Math.max(this.#start, point);
  }

  #forget(from: number, to: number): void {
    for (let at = from; at < to; at++) this.#filled[at & this.#mask] = 0;
  }

  #silence(into: Int16Array): PullOutcome {
    into.fill(0);
    this.#concealment.remember(into);
    return 'silence';
  }

  /** Sets the play-out point when there is something to play. */
  #startPlaying(nowMs: number): boolean {
    if (this.#end === 0) return false;
    const due = this.#duePoint(nowMs);
    // The beginning of speech is worth a longer wait, within reason.
    const point = due - this.#start > this.#samples(HURRY_MS) ? due : Math.min(due, this.#start);
    if (point > this.#start) this.#skipTo(point);
    this.#play = point;
    this.#nextStretchMs = nowMs;
    return true;
  }

  #take(nowMs: number, into: Int16Array): PullOutcome {
    this.#payBack();
    const play = this.#play as number;
    if (play + into.length <= this.#start) {
      // Between the start of the wait and the first sample there is nothing to guess.
      this.#play = play + into.length;
      return this.#silence(into);
    }
    const used = this.#takeWhole(nowMs, play, into);
    if (used === 0) return this.#takeWithGaps(play, into);
    this.#forget(play, play + used);
    this.#play = play + used;
    this.#concealment.blend(into, 0, into.length);
    this.#concealment.remember(into);
    this.#concealedRun = 0;
    return 'audio';
  }

  /** Guessed time that turns out lost is over; guessed time that arrives after all is played, and the wait is longer. */
  #payBack(): void {
    const play = this.#play as number;
    if (this.#borrowed === 0 || play >= this.#end) return;
    const due = play + this.#borrowed;
    let point = play;
    while (point < due && point < this.#end && this.#filled[point & this.#mask] === 0) point += 1;
    this.#play = point;
    this.#borrowed = 0;
  }

  /** Takes a frame of which every sample is there, stretched when the wait is off its target; 0 when one is missing. */
  #takeWhole(nowMs: number, play: number, into: Int16Array): number {
    const excessMs = ((this.#duePoint(nowMs) - play) * 1000) / this.#rate;
    const tooLong = excessMs > SLACK_LONG_MS;
    const wanted = (tooLong || excessMs < -SLACK_SHORT_MS) && (nowMs >= this.#nextStretchMs || excessMs > HURRY_MS);
    if (wanted && into.length >= stretchableSamples(this.#rate)) {
      const source = this.#scratch.subarray(0, into.length + (tooLong ? stretchMargin(this.#rate) : 0));
      if (this.#copy(play, source)) {
        this.#nextStretchMs = nowMs + (tooLong ? SHORTEN_EVERY_MS : LENGTHEN_EVERY_MS);
        return tooLong ? shorten(source, into, this.#rate) : lengthen(source, into, this.#rate);
      }
    }
    return this.#copy(play, into) ? into.length : 0;
  }

  #copy(from: number, into: Int16Array): boolean {
    if (from + into.length > this.#end) return false;
    for (let i = 0; i < into.length; i++) {
      const place = (from + i) & this.#mask;
      if (this.#filled[place] === 0) return false;
      into[i] = this.#ring[place] as number;
    }
    return true;
  }

  /** Takes what is there of a frame and guesses the rest. */
  #takeWithGaps(play: number, into: Int16Array): PullOutcome {
    const known = Math.max(0, Math.min(into.length, this.#end - play));
    let heard = false;
    let guessed = false;
    for (let from = 0; from < into.length;) {
      const present = from < known && this.#filled[(play + from) & this.#mask] === 1;
      let to = from + 1;
      while (to < into.length && (to < known && this.#filled[(play + to) & this.#mask] === 1) === present) to += 1;
      if (present) {
        for (let i = from; i < to; i++) into[i] = this.#ring[(play + i) & this.#mask] as number;
        this.#concealment.blend(into, from, to);
        this.#concealment.remember(into.subarray(from, to));
        heard = true;
      } else if (play + to <= this.#start) into.fill(0, from, to);
      else {
        this.#concealment.fill(into, from, to);
        guessed = true;
      }
      from = to;
    }
    this.#forget(play, play + known);
    this.#play = play + known;
    this.#borrowed += into.length - known;
    if (!guessed) return 'audio';
    this.#concealedRun = heard ? 0 : this.#concealedRun + into.length;
    if (this.#concealedRun <= this.#samples(MAX_CONCEAL_MS)) return 'concealed';
    if (this.#play >= this.#end) this.#pause();
    return this.#silence(into);
  }
}
