import { FRAME_SAMPLES, SAMPLE_RATE } from '../media/sound-format.ts';

/** A frame of the original that is weaker than this (mean amplitude) is a pause: what arrives in it proves nothing. */
const PAUSE_AMPLITUDE = 40;
/** The piece by which a sound is found in what arrives. */
const LANDMARK_SAMPLES = (SAMPLE_RATE * 160) / 1000;
const LANDMARK_STEP_SAMPLES = (SAMPLE_RATE * 200) / 1000;
/** Likeness (normalised correlation) from which a landmark is found, and a frame counts as arrived. */
const FOUND = 0.85;
const ARRIVED = 0.7;
/** A steady tone is like itself a little earlier, too: the best place within this is taken. */
const LOOK_ON_SAMPLES = (SAMPLE_RATE * 60) / 1000;
/** Voiced frames in a row that did not arrive: the sound was cut off. */
const MISSED_FRAMES = 5;
/** Share of the voiced frames that must arrive for a sound to be heard. */
const HEARD_SHARE = 0.9;

/** How exact an arrival must be. In virtual time nothing is late, so nothing is let pass; a real machine stands still now and then. */
export interface MatchRules {
  /** Voiced frames in a row that did not arrive: the sound was cut off. */
  readonly missedFrames: number;
  /** Share of the voiced frames that must arrive. */
  readonly heardShare: number;
  /** A jitter buffer drops and stretches: after a frame that is not in its place, it is looked for so far around it. */
  readonly resyncMs: number;
  readonly longestWayMs: number;
  readonly placeMs: number;
  readonly underWayMs: number;
}

/**
 * Over a real network, beside whatever else the machine does: the times are those of the sound as it was sent, which
 * runs on while this process stands still and is read afterwards.
 */
export const REAL_TIME_RULES: MatchRules = {
  missedFrames: 15,
  heardShare: 0.7,
  resyncMs: 100,
  longestWayMs: 10_000,
  placeMs: 300,
  underWayMs: 2000,
};

interface MatchOptions extends Partial<Pick<MatchRules, 'missedFrames' | 'heardShare' | 'resyncMs'>> {
  readonly before: number;
  readonly after: number;
}

export type MatchState = 'searching' | 'following' | 'heard' | 'lost';

/** What has arrived at a phone, from the time that anybody still asks about. Positions count samples since its start. */
export class ArrivedSound {
  #samples = new Int16Array(SAMPLE_RATE * 4);
  #start = 0;
  #end = 0;

  get end(): number {
    return this.#end;
  }

  push(frame: Int16Array): void {
    if (this.#end - this.#start + frame.length > this.#samples.length) {
      const larger = new Int16Array(this.#samples.length * 2);
      larger.set(this.#samples);
      this.#samples = larger;
    }
    this.#samples.set(frame, this.#end - this.#start);
    this.#end += frame.length;
  }

  /** Forgets what came before. */
  forget(before: number): void {
    if (before - this.#start < SAMPLE_RATE * 2) return;
    this.#samples.copyWithin(0, before - this.#start, this.#end - this.#start);
    this.#start = before;
  }

  /** Undefined when a part of it is not there (yet, or any more). */
  slice(from: number, length: number): Int16Array | undefined {
    if (from < this.#start || from + length > this.#end) return undefined;
    return this.#samples.subarray(from - this.#start, from - this.#start + length);
  }
}

/**
 * Looks for one sound in what arrives: first for a landmark of it, then frame by frame. Nothing but the samples that
 * came over the network decides.
 */
export class SoundMatch {
  state: MatchState = 'searching';
  readonly #sound: Int16Array;
  readonly #landmark: number;
  readonly #landmarkSamples: number;
  /** Positions of the sound's first sample that are still to be tried, both ends included. */
  #next: number;
  readonly #last: number;
  #offset: number;
  #best = FOUND;
  #frame = 0;
  #voiced = 0;
  #arrived = 0;
  #missed = 0;
  #lastArrived = 0;
  readonly #missedFrames: number;
  readonly #heardShare: number;
  readonly #resyncSamples: number;

  /** The sound is to begin at `expected` in what arrives, or so many samples before or after. */
  constructor(sound: Int16Array, expected: number, options: MatchOptions) {
    const { before, after, missedFrames = MISSED_FRAMES, heardShare = HEARD_SHARE, resyncMs = 0 } = options;
    this.#sound = sound;
    this.#offset = expected;
    this.#next = Math.max(0, expected - before);
    this.#last = expected + after;
    this.#missedFrames = missedFrames;
    this.#heardShare = heardShare;
    this.#resyncSamples = (SAMPLE_RATE * resyncMs) / 1000;
    this.#landmark = firstVoiced(sound);
    this.#landmarkSamples = Math.min(LANDMARK_SAMPLES, sound.length - this.#landmark);
    // A pause between words has nothing that could be recognised.
    if (this.#landmark >= sound.length) this.state = 'heard';
  }

  /** Where its first sample arrived (or is expected). */
  get offset(): number {
    return this.#offset;
  }

  /** How much of it arrived, up to the last frame that did. */
  get heardMs(): number {
    return (this.#lastArrived * 1000) / SAMPLE_RATE;
  }

  /** The first position that it may still look at. */
  get needs(): number {
    if (this.state === 'searching' && this.#best === FOUND) return this.#next;
    return Math.max(0, this.#offset + this.#frame * FRAME_SAMPLES - this.#resyncSamples);
  }

  /** Takes what has arrived so far. */
  update(arrived: ArrivedSound): void {
    if (this.state === 'searching') this.#search(arrived);
    while (this.state === 'following' && this.#followFrame(arrived));
  }

  #search(arrived: ArrivedSound): void {
    const length = this.#landmarkSamples;
    // Where a jitter buffer stretches, one landmark may be spoilt: in real time there are later ones, too.
    const places = [0, LANDMARK_STEP_SAMPLES, 2 * LANDMARK_STEP_SAMPLES]
      .map((step) => this.#landmark + step)
      .filter((at, index) => index === 0 || (this.#resyncSamples > 0 && at + length <= this.#sound.length));
    const landmarks = places.map((at) => ({ at, samples: this.#sound.subarray(at, at + length) }));
    for (; this.#next <= this.#last; this.#next += 1) {
      const position = this.#next;
      if (position + (places.at(-1) ?? 0) + length > arrived.end) break;
      const likenesses = landmarks.map(({ at, samples }) => {
        const piece = arrived.slice(position + at, length);
        return piece === undefined ? 0 : correlation(samples, piece);
      });
      const likeness = Math.max(...likenesses);
      if (likeness <= this.#best) continue;
      this.#best = likeness;
      this.#offset = this.#next;
    }
    if (this.#best === FOUND) {
      if (this.#next > this.#last) this.state = 'lost';
    } else if (this.#next > Math.min(this.#last, this.#offset + LOOK_ON_SAMPLES)) this.state = 'following';
  }

  #followFrame(arrived: ArrivedSound): boolean {
    const at = this.#frame * FRAME_SAMPLES;
    const original = this.#sound.subarray(at, at + FRAME_SAMPLES);
    if (original.length === 0) {
      this.state = this.#arrived >= this.#voiced * this.#heardShare ? 'heard' : 'lost';
      return false;
    }
    const piece = arrived.slice(this.#offset + at, original.length);
    // What may be looked for around its place must be there, too.
    if (piece === undefined || this.#offset + at + original.length + this.#resyncSamples > arrived.end) return false;
    this.#frame += 1;
    if (amplitude(original) < PAUSE_AMPLITUDE) return true;
    this.#voiced += 1;
    if (correlation(original, piece) >= ARRIVED || this.#resync(arrived, at)) {
      this.#arrived += 1;
      this.#missed = 0;
      this.#lastArrived = at + original.length;
    } else if (++this.#missed >= this.#missedFrames) this.state = 'lost';
    return true;
  }

  /** True when the sound goes on a little earlier or later than it should: from there it is followed. */
  #resync(arrived: ArrivedSound, at: number): boolean {
    if (this.#resyncSamples === 0) return false;
    const original = this.#sound.subarray(at, at + FRAME_SAMPLES);
    let best = FOUND;
    let found: number | undefined;
    for (let shift = -this.#resyncSamples; shift <= this.#resyncSamples; shift += 1) {
      const piece = arrived.slice(this.#offset + at + shift, original.length);
      if (piece === undefined) continue;
      const likeness = correlation(original, piece);
      if (likeness <= best) continue;
      best = likeness;
      found = this.#offset + shift;
    }
    if (found !== undefined) this.#offset = found;
    return found !== undefined;
  }
}

function firstVoiced(sound: Int16Array): number {
  for (let at = 0; at < sound.length; at += FRAME_SAMPLES) {
    if (amplitude(sound.subarray(at, at + FRAME_SAMPLES)) >= PAUSE_AMPLITUDE) return at;
  }
  return sound.length;
}

function amplitude(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += Math.abs(sample);
  return sum / samples.length;
}

/** 1: the same but for loudness; 0: nothing in common. */
function correlation(a: Int16Array, b: Int16Array): number {
  let both = 0;
  let ofA = 0;
  let ofB = 0;
  for (let at = 0; at < a.length; at += 1) {
    const x = a[at] as number;
    const y = b[at] as number;
    both += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return ofA === 0 || ofB === 0 ? 0 : both / Math.sqrt(ofA * ofB);
}
