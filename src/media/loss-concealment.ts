import { mostAlike } from './time-stretch.ts';

/** Long enough to hold two periods of the deepest voice. */
const HISTORY_MS = 40;
/** Pitch of voices: 66 to 400 Hz. */
const SHORTEST_PERIOD_MS = 2.5;
const LONGEST_PERIOD_MS = 15;
const COMPARED_MS = 12.5;
/** From full level to nothing over this time. */
const FADE_MS = 60;
const BLEND_MS = 4;

/** Fills gaps by repeating the last period of what was played, fading out (after ITU-T G.711 Appendix I). */
export class LossConcealment {
  readonly #history: Int16Array;
  readonly #rate: number;
  /** Length of the repeated period; 0 when nothing is being concealed. */
  #period = 0;
  #made = 0;

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
    this.#history = new Int16Array(this.#samples(HISTORY_MS));
  }

  /** Takes note of real sound that was played; ends a concealment. */
  remember(frame: Int16Array): void {
    const history = this.#history;
    this.#period = 0;
    this.#made = 0;
    if (frame.length >= history.length) history.set(frame.subarray(frame.length - history.length));
    else {
      history.copyWithin(0, frame.length);
      history.set(frame, history.length - frame.length);
    }
  }

  /** Fills `into[from..to)` with what the sound would probably have been. */
  fill(into: Int16Array, from: number, to: number): void {
    if (this.#period === 0) this.#findPeriod();
    for (let i = from; i < to; i++) into[i] = this.#next();
  }

  /** Fades from the guess to the real sound that starts at `into[from]`, at most up to `to`. */
  blend(into: Int16Array, from: number, to: number): void {
    if (this.#period === 0) return;
    const length = Math.min(to - from, this.#samples(BLEND_MS));
    for (let i = 0; i < length; i++) {
      const share = (i + 1) / (length + 1);
      into[from + i] = Math.round((into[from + i] as number) * share + this.#next() * (1 - share));
    }
    this.#period = 0;
    this.#made = 0;
  }

  #next(): number {
    const start = this.#history.length - this.#period;
    const sample = this.#history[start + (this.#made % this.#period)] as number;
    const gain = Math.max(0, 1 - this.#made / this.#samples(FADE_MS));
    this.#made += 1;
    return Math.round(sample * gain);
  }

  #findPeriod(): void {
    const backwards = this.#history.slice().reverse();
    this.#period = mostAlike(backwards, {
      at: 0,
      length: this.#samples(COMPARED_MS),
      lowest: this.#samples(SHORTEST_PERIOD_MS),
      highest: this.#samples(LONGEST_PERIOD_MS),
    });
    this.#made = 0;
  }

  #samples(ms: number): number {
    return Math.round((ms * this.#rate) / 1000);
  }
}
