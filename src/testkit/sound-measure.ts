import { crossCorrelate, spectrumOf } from './fft.ts';

// Every function takes samples between -1 and 1 at `sampleRate`, 8000 Hz unless told.

const SAMPLE_RATE = 8000;
/** Tones are measured in windows, so that a lost or inserted packet turns the phase of one window and not of the rest. */
const TONE_WINDOW_MS = 50;
const GAP_FRAME_MS = 10;
const SPECTRUM_SIZE = 2048;

/** Root of the mean square. */
export function rms(samples: Float64Array): number {
  return Math.sqrt(energy(samples) / Math.max(1, samples.length));
}

/** Power of one frequency in a window (Goertzel), in units of `rms` squared: a pure tone gives its whole power. */
export function tonePower(samples: Float64Array, hertz: number, sampleRate = SAMPLE_RATE): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate);
  let last = 0;
  let before = 0;
  for (const sample of samples) [last, before] = [sample + coefficient * last - before, last];
  const magnitude = last * last + before * before - coefficient * last * before;
  return (2 * magnitude) / (samples.length * samples.length);
}

/** Part of the whole energy that lies at the frequency, 0 to 1. */
export function shareAt(samples: Float64Array, hertz: number, sampleRate = SAMPLE_RATE): number {
  const length = Math.round((TONE_WINDOW_MS * sampleRate) / 1000);
  let tone = 0;
  for (let at = 0; at + length <= samples.length; at += length) {
    const window = samples.subarray(at, at + length);
    tone += tonePower(window, hertz, sampleRate) * length;
  }
  return tone / Math.max(energy(samples), Number.MIN_VALUE);
}

/** Seconds in which the frequency carries most of the sound; silence counts for nothing. */
export function secondsOfTone(samples: Float64Array, hertz: number, sampleRate = SAMPLE_RATE): number {
  const length = Math.round((TONE_WINDOW_MS * sampleRate) / 1000);
  let windows = 0;
  for (let at = 0; at + length <= samples.length; at += length) {
    const window = samples.subarray(at, at + length);
    const power = rms(window) ** 2;
    if (power > 1e-5 && tonePower(window, hertz, sampleRate) > 0.7 * power) windows += 1;
  }
  return (windows * TONE_WINDOW_MS) / 1000;
}

/** The strongest frequency in hertz, to about 1 Hz. */
export function dominantHertz(samples: Float64Array, sampleRate = SAMPLE_RATE): number {
  const power = new Float64Array(SPECTRUM_SIZE / 2);
  for (let at = 0; at === 0 || at + SPECTRUM_SIZE <= samples.length; at += SPECTRUM_SIZE) {
    const { re, im } = spectrumOf(windowed(samples.subarray(at, at + SPECTRUM_SIZE)), SPECTRUM_SIZE);
    power.forEach((sum, k) => (power[k] = sum + re[k]! ** 2 + im[k]! ** 2));
  }
  let peak = 1;
  for (let k = 1; k < power.length - 1; k++) if (power[k]! > power[peak]!) peak = k;
  // A parabola through the logarithms of the peak and its neighbours finds the place between two bins.
  const [left, top, right] = [power[peak - 1]!, power[peak]!, power[peak + 1] ?? 0].map((x) => Math.log(x + 1e-30));
  const curve = left! - 2 * top! + right!;
  const offset = curve === 0 ? 0 : (0.5 * (left! - right!)) / curve;
  return ((peak + offset) * sampleRate) / SPECTRUM_SIZE;
}

function windowed(samples: Float64Array): Float64Array {
  const step = (2 * Math.PI) / Math.max(1, samples.length - 1);
  return samples.map((value, i) => value * (0.5 - 0.5 * Math.cos(step * i)));
}

export interface Alignment {
  /** Normalised: 1 is the same sound, 0 has nothing in common with it. */
  readonly correlation: number;
  /** Where in `heard` the reference begins, in samples. */
  readonly lag: number;
}

/** Finds the reference in what was heard: the best normalised cross-correlation over every place that holds it whole. */
export function align(heard: Float64Array, reference: Float64Array): Alignment {
  const last = heard.length - reference.length;
  if (last < 0) return align(padded(heard, reference.length), reference);
  const products = crossCorrelate(heard, reference);
  const own = energy(reference);
  let inside = energy(heard.subarray(0, reference.length));
  let best: Alignment = { correlation: 0, lag: 0 };
  for (let lag = 0; lag <= last; lag++) {
    // The running sum is never quite exact: in silence it would be the divisor of next to nothing.
    const correlation = products[lag]! / Math.sqrt(Math.max(own * Math.max(inside, own * 1e-6), Number.MIN_VALUE));
    if (correlation > best.correlation) best = { correlation, lag };
    inside += (heard[lag + reference.length] ?? 0) ** 2 - heard[lag]! ** 2;
  }
  return best;
}

/** A piece that is less like its original says nothing about where the next one is. */
const FOLLOWED = 0.8;
const PIECE_SAMPLES = (SAMPLE_RATE * 200) / 1000;
/** A jitter buffer moves the sound by a packet at a time, and by what it holds when it ran dry and fills again. */
const MAX_SHIFT_SAMPLES = (SAMPLE_RATE * 120) / 1000;

/**
 * As `align`, for a listener whose jitter buffer stretches: the reference is followed in pieces of 200 ms, each of which may
 * be 120 ms earlier or later than the one before it. The correlation is that of all pieces together, by their energy.
 */
export function alignFollowing(heard: Float64Array, reference: Float64Array): Alignment {
  const { lag } = align(heard, reference);
  // The best place of the whole is that of its longest unstretched part, so the first piece is looked for around it.
  let at = lag;
  let margin = 2 * MAX_SHIFT_SAMPLES;
  let first: number | undefined;
  let found = 0;
  let whole = 0;
  for (let begin = 0; begin < reference.length; begin += PIECE_SAMPLES) {
    const piece = reference.subarray(begin, begin + PIECE_SAMPLES);
    const from = Math.max(0, at + begin - margin);
    const window = heard.subarray(from, at + begin + piece.length + margin);
    const best = align(window, piece);
    const weight = energy(piece);
    found += best.correlation * weight;
    whole += weight;
    if (best.correlation < FOLLOWED) continue;
    at = from + best.lag - begin;
    first ??= at;
    margin = MAX_SHIFT_SAMPLES;
  }
  return { correlation: whole === 0 ? 0 : found / whole, lag: first ?? lag };
}

/**
 * The longest time in milliseconds, in steps of 10, in which the reference sounds and the heard sound (from `lag` on)
 * is silent. Pauses of the reference are no gaps.
 */
export function longestGapMs(
  heard: Float64Array,
  reference: Float64Array,
  lag: number,
  sampleRate = SAMPLE_RATE,
): number {
  const frame = Math.round((GAP_FRAME_MS * sampleRate) / 1000);
  const loud = 0.1 * rms(reference);
  let run = 0;
  let longest = 0;
  for (let at = 0; at + frame <= reference.length; at += frame) {
    const sounds = rms(reference.subarray(at, at + frame)) > loud;
    const silent = rms(padded(heard.subarray(lag + at, lag + at + frame), frame)) < loud / 5;
    run = sounds && silent ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest * GAP_FRAME_MS;
}

/** Resamples by a windowed sinc; good enough to compare speech with. */
export function resample(samples: Float64Array, from: number, to: number): Float64Array {
  if (from === to) return samples;
  const cutoff = Math.min(1, to / from) * 0.95;
  const reach = Math.ceil(16 / cutoff);
  return Float64Array.from({ length: Math.floor((samples.length * to) / from) }, (_, i) => {
    const centre = (i * from) / to;
    let sum = 0;
    for (let k = Math.ceil(centre - reach); k <= centre + reach; k++) {
      const x = k - centre;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / reach);
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
      sum += (samples[k] ?? 0) * sinc * window * cutoff;
    }
    return sum;
  });
}

function energy(samples: Float64Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum;
}

function padded(samples: Float64Array, length: number): Float64Array {
  if (samples.length >= length) return samples;
  const longer = new Float64Array(length);
  longer.set(samples);
  return longer;
}
