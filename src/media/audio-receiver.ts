import { RtpPacketView } from '../wire/rtp/packet.ts';
import { parseTelephoneEvent, TelephoneEventReceiver } from '../wire/rtp/telephone-event.ts';
import { ArrivalOrder } from './arrival-order.ts';
import { DtmfDetector } from './dtmf-detector.ts';
import { decodeG711 } from '../wire/sound/g711.ts';
import { JitterBuffer, MAX_PACKET_MS, type PullOutcome } from './jitter-buffer.ts';
import type { NegotiatedAudio } from './negotiated-audio.ts';
import { Reception } from './reception.ts';

/** A tone is sure after up to three blocks of the detector, told at the end of the frame that completes them. */
const TONE_RECOGNITION_MS = 60;

/** From the true end of a press to the report of it, when its end packets are lost. */
const MAX_END_DELAY_MS = 300;

/** A key that the peer pressed; `startedMs` on the clock of arrivals. */
export interface HeardKey {
  readonly digit: string;
  readonly durationMs: number;
  readonly startedMs: number;
  readonly via: 'rtp' | 'in-band';
}

/** What became of a packet: `audio` may be relayed, `other` is counted but is no sound, `refused` is not RTP of ours. */
export type Received = 'audio' | 'other' | 'refused';

/** One incoming RTP stream: from packets to frames and keys. */
export class AudioReceiver {
  /** The packet that `receive` took last. */
  readonly packet = new RtpPacketView();
  readonly reception: Reception;
  readonly #sampleRate: number;
  readonly #onKey: (key: HeardKey) => void;
  readonly #arrivals: ArrivalOrder | undefined;
  readonly #decoded: Int16Array;
  #audio: NegotiatedAudio | undefined;
  #jitter: JitterBuffer;
  #events = new TelephoneEventReceiver();
  #detector: DtmfDetector | undefined;
  /** When the running RFC 4733 event, or tone, was first seen. */
  #pressStartedMs: number | undefined;
  #toneStartedMs: number | undefined;

  /** `onArrived` is given what came, in the sender's order and whenever it came; the array is used again. */
  constructor(
    sampleRate: number,
    { onKey, onArrived }: { onKey: (key: HeardKey) => void; onArrived?: ((samples: Int16Array) => void) | undefined },
  ) {
    this.#sampleRate = sampleRate;
    this.#onKey = onKey;
    this.#arrivals = onArrived === undefined ? undefined : new ArrivalOrder(onArrived);
    this.#decoded = new Int16Array((sampleRate * MAX_PACKET_MS) / 1_000);
    this.#jitter = new JitterBuffer({ sampleRate });
    this.reception = new Reception(sampleRate);
  }

  configure(audio: NegotiatedAudio): void {
    this.#audio = audio;
    const inBand = audio.telephoneEvent === undefined;
    if (!inBand) this.#detector = undefined;
    else this.#detector ??= new DtmfDetector({ sampleRate: this.#sampleRate });
  }

  /** Whether keys can only be found in the sound itself. */
  get listensForTones(): boolean {
    return this.#detector !== undefined;
  }

  /** Takes one datagram. `keep`: whether its sound is wanted here (false while it is only relayed). */
  receive(bytes: Uint8Array, nowMs: number, keep: boolean): Received {
    const audio = this.#audio;
    const packet = this.packet;
    if (audio === undefined || packet.read(bytes) !== undefined) return 'refused';
    if (packet.payloadType === audio.telephoneEvent?.receive) {
      this.#takeEvent(nowMs);
      return 'other';
    }
    const codec = audio.receive.get(packet.payloadType);
    if (codec === undefined || packet.payloadLength === 0 || packet.payloadLength > this.#decoded.length)
      return 'refused';
    this.reception.add(packet, nowMs, true);
    if (keep) {
      const count = decodeG711(codec, packet.payload(), this.#decoded);
      const { ssrc, sequence, timestamp, marker } = packet;
      this.#arrivals?.push({ ssrc, sequence, samples: this.#decoded.subarray(0, count) });
      this.#jitter.push({
        ssrc,
        sequence,
        timestamp,
        marker,
        arrivalMs: nowMs,
        samples: this.#decoded.subarray(0, count),
      });
    }
    return 'audio';
  }

  /** Fills the next frame; call it once a tick. Keys that have ended are reported from here, too. */
  pull(nowMs: number, into: Int16Array): PullOutcome {
    this.tick(nowMs);
    const outcome = this.#jitter.pull(nowMs, into);
    if (this.#detector !== undefined) this.#listen(this.#detector, into, nowMs);
    return outcome;
  }

  /** Ends presses whose packets have stopped; for ticks that pull no sound. */
  tick(nowMs: number): void {
    const ended = this.#events.tick(nowMs);
    if (ended !== undefined) this.#reportPress(ended.key, ended.durationMs, nowMs);
  }

  /** Drops what is held: the sound goes another way from now on. */
  flush(): void {
    this.#jitter = new JitterBuffer({ sampleRate: this.#sampleRate });
  }

  #takeEvent(nowMs: number): void {
    const { packet } = this;
    // Some senders give key presses an SSRC of their own; it must not pass for a new source of sound.
    if (packet.ssrc === this.reception.ssrc) this.reception.add(packet, nowMs, false);
    const keys = this.#events.push({
      ssrc: packet.ssrc,
      timestamp: packet.timestamp,
      payload: packet.payload(),
      arrivalMs: nowMs,
    });
    for (const key of keys) this.#reportPress(key.key, key.durationMs, nowMs);
    if (parseTelephoneEvent(packet.payload())?.end === false) this.#pressStartedMs ??= nowMs;
  }

  #reportPress(digit: string, durationMs: number, nowMs: number): void {
    // A sender's idea of the duration may be twice the truth, and a stray packet may have set the start: the later wins.
    const startedMs = Math.max(this.#pressStartedMs ?? 0, nowMs - durationMs - MAX_END_DELAY_MS);
    this.#pressStartedMs = undefined;
    this.#onKey({ digit, durationMs, startedMs, via: 'rtp' });
  }

  #listen(detector: DtmfDetector, frame: Int16Array, nowMs: number): void {
    const ended = detector.push(frame);
    for (const { key, durationMs } of ended) {
      this.#onKey({ digit: key, durationMs, startedMs: this.#toneStartedMs ?? nowMs - durationMs, via: 'in-band' });
      this.#toneStartedMs = undefined;
    }
    if (detector.active !== '') this.#toneStartedMs ??= nowMs - TONE_RECOGNITION_MS;
  }
}
