export interface VoiceActivityOptions {
  readonly sampleRate: number;
}

/** dB relative to a full-scale square wave. Anything above the upper bound is sound, however steady it is. */
const LOWEST_THRESHOLD_DB = -54;
const HIGHEST_THRESHOLD_DB = -34;
/** Sound stands at least this far above the background. */
const ABOVE_FLOOR_DB = 9;
/** The floor follows quieter sound at once and louder sound slowly: speech has gaps, a fan does not. */
const FLOOR_RISE_DB_PER_SECOND = 4;
const FLOOR_FALL_SHARE = 0.5;
const FLOOR_START_DB = -66;
const LOWEST_FLOOR_DB = -90;
/** Ends of words are weak: sound is taken to last this much longer. */
const HANGOVER_MS = 160;
/** One loud frame (a click) is no sound. */
const FRAMES_TO_START = 2;

/** Tells sound from silence in recordings by energy above an adapting noise floor. */
export class VoiceActivity {
  readonly #rate: number;
  #floorDb = FLOOR_START_DB;
  #loudFrames = 0;
  #hangoverMs = 0;
  #silentMs = 0;
  #heard = false;

  constructor(options: VoiceActivityOptions) {
    this.#rate = options.sampleRate;
  }

  /** Takes one frame (10-60 ms); true while there is sound. */
  push(frame: Int16Array): boolean {
    const frameMs = (frame.length * 1000) / this.#rate;
    const level = levelDb(frame);
    const loud = level > this.#thresholdDb();
    this.#followFloor(level, frameMs);
    this.#loudFrames = loud ? this.#loudFrames + 1 : 0;
    if (this.#loudFrames >= FRAMES_TO_START) {
      this.#hangoverMs = HANGOVER_MS;
      this.#silentMs = 0;
      this.#heard = true;
      return true;
    }
    this.#silentMs += frameMs;
    this.#hangoverMs = Math.max(0, this.#hangoverMs - frameMs);
    return this.#hangoverMs > 0;
  }

  /** How long it has been silent, counted from the last sound (or the start). */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** Whether there was any sound yet. */
  get heard(): boolean {
    return this.#heard;
  }

  #thresholdDb(): number {
    return Math.min(HIGHEST_THRESHOLD_DB, Math.max(LOWEST_THRESHOLD_DB, this.#floorDb + ABOVE_FLOOR_DB));
  }

  #followFloor(level: number, frameMs: number): void {
    if (level < this.#floorDb) this.#floorDb += (Math.max(level, LOWEST_FLOOR_DB) - this.#floorDb) * FLOOR_FALL_SHARE;
    else this.#floorDb = Math.min(level, this.#floorDb + (FLOOR_RISE_DB_PER_SECOND * frameMs) / 1000);
  }
}

/** Mean power of a frame in dB below full scale; -100 for digital silence. A constant offset is no sound. */
export function levelDb(frame: Int16Array): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < frame.length; i++) {
    const sample = frame[i] as number;
    sum += sample;
    squares += sample * sample;
  }
  const length = Math.max(1, frame.length);
  const power = squares / length - (sum / length) ** 2;
  return power <= 0.1 ? -100 : 10 * Math.log10(power / 32_768 ** 2);
}
