import { sequenceDistance } from '../wire/rtp/packet.ts';

/** A larger step is a restart of the sender, not loss (as RFC 3550 A.1, for streams that no network loses much of). */
const MAX_LOST = 50;
const MAX_MISORDER = 100;

export interface ArrivedPacket {
  readonly ssrc: number;
  /** 16 bits. */
  readonly sequence: number;
  readonly samples: Int16Array;
}

/**
 * What a sender said, one packet behind another by their sequence numbers: silence where one is lost, and nothing that
 * depends on when they come. It is for judging what arrived; who wants to listen takes the jitter buffer.
 */
export class ArrivalOrder {
  readonly #onSamples: (samples: Int16Array) => void;
  #ssrc: number | undefined;
  #last = 0;

  /** The given array is only valid during the call. */
  constructor(onSamples: (samples: Int16Array) => void) {
    this.#onSamples = onSamples;
  }

  push({ ssrc, sequence, samples }: ArrivedPacket): void {
    if (ssrc === this.#ssrc) {
      const step = sequenceDistance(this.#last, sequence);
      if (step <= 0 && step > -MAX_MISORDER) return;
      if (step > 0 && step <= MAX_LOST) {
        const silence = new Int16Array(step > 1 ? samples.length : 0);
        for (let lost = 1; lost < step; lost += 1) this.#onSamples(silence);
      }
    }
    this.#ssrc = ssrc;
    this.#last = sequence;
    this.#onSamples(samples);
  }
}
