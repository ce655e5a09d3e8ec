import { sequenceDistance, timestampDistance } from '../../wire/rtp/packet.ts';

/** A listener with a play-out buffer of this size hears a packet that comes later as a gap. */
export const PLAY_OUT_MS = 60;
const SAMPLES_PER_MS = 8;

export interface SoundFigures {
  readonly received: number;
  readonly lost: number;
  readonly late: number;
}

/** Gaps and late packets of one stream, from sequence numbers and times of arrival. */
export class SoundTally {
  #received = 0;
  #late = 0;
  /** Extended over the wrap, from the first packet on. */
  #highest = 0;
  #lastSequence = 0;
  #lastTimestamp = 0;
  #samples = 0;
  /** The earliest packet sets the beat: arrival less the time that its timestamp says. */
  #beatMs = Number.POSITIVE_INFINITY;

  add(packet: { readonly sequence: number; readonly timestamp: number }, arrivalMs: number): void {
    if (this.#received === 0) {
      this.#lastSequence = packet.sequence;
      this.#lastTimestamp = packet.timestamp;
    }
    this.#received += 1;
    const ahead = sequenceDistance(this.#lastSequence, packet.sequence);
    const samples = this.#samples + timestampDistance(this.#lastTimestamp, packet.timestamp);
    if (ahead > 0) {
      this.#highest += ahead;
      this.#lastSequence = packet.sequence;
      this.#lastTimestamp = packet.timestamp;
      this.#samples = samples;
    }
    const offset = arrivalMs - samples / SAMPLES_PER_MS;
    this.#beatMs = Math.min(this.#beatMs, offset);
    if (offset - this.#beatMs > PLAY_OUT_MS) this.#late += 1;
  }

  figures(): SoundFigures {
    const expected = this.#received === 0 ? 0 : this.#highest + 1;
    return { received: this.#received, lost: Math.max(0, expected - this.#received), late: this.#late };
  }
}
