/** Share of the band (half the lower rate) that passes unweakened, and where the stop band begins. */
const PASS_SHARE = 0.85;
const STOP_SHARE = 1.05;
const STOP_BAND_DB = 60;
/**
 * Rates without a small common factor would want a filter per output sample of a whole second; the nearest of so many
 * phases is off by less than -65 dB.
 */
const MAX_PHASES = 640;
const NO_SAMPLES = new Float32Array(0);

/**
 * Changes the sample rate of a stream (polyphase FIR, Kaiser window). Chunks may have any length; the state goes
 * across them. Output sample 0 falls on input sample 0: the filter's delay is taken out.
 */
export class Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #phases: number;
  readonly #taps: number;
  /** `#phases` rows of `#taps` coefficients. */
  readonly #filter: Float32Array;
  /** Input kept for the next outputs; `#kept[0]` is input sample `#keptFrom`. */
  #kept: Float32Array;
  #keptFrom: number;
  #received = 0;
  /** Next output lies at input position `#whole + #part / #to`. */
  #whole = 0;
  #part = 0;

  /** Rates are whole hertz. */
  constructor(fromRate: number, toRate: number) {
    const divisor = greatestCommonDivisor(fromRate, toRate);
    this.#from = fromRate / divisor;
    this.#to = toRate / divisor;
    this.#phases = Math.min(this.#to, MAX_PHASES);
    const band = Math.min(fromRate, toRate) / 2 / fromRate;
    // Kaiser's estimate of the length for a transition this wide.
    const transition = 2 * Math.PI * band * (STOP_SHARE - PASS_SHARE);
    const half = Math.ceil((STOP_BAND_DB - 7.95) / (2.285 * transition) / 2);
    this.#taps = fromRate === toRate ? 0 : 2 * half;
    const cutoff = (band * (PASS_SHARE + STOP_SHARE)) / 2;
    this.#filter = this.#taps === 0 ? NO_SAMPLES : filterOf(this.#phases, half, cutoff);
    this.#kept = new Float32Array(Math.max(0, half - 1));
    this.#keptFrom = 1 - half;
  }

  /** The output that this input completes. */
  push(input: Float32Array): Float32Array {
    if (this.#taps === 0) return input.slice();
    this.#received += input.length;
    return this.#run(input);
  }

  /** The output that still waited for later input, taken as silence. Total output: ceil(input × to / from). */
  end(): Float32Array {
    if (this.#taps === 0) return NO_SAMPLES;
    const total = Math.ceil((this.#received * this.#to) / this.#from);
    const done = (this.#whole * this.#to + this.#part) / this.#from;
    return this.#run(new Float32Array(this.#taps)).subarray(0, Math.max(0, total - Math.round(done)));
  }

  #run(input: Float32Array): Float32Array {
    const buffer = new Float32Array(this.#kept.length + input.length);
    buffer.set(this.#kept);
    buffer.set(input, this.#kept.length);
    const taps = this.#taps;
    const half = taps / 2;
    // An output at position p uses the inputs floor(p) - half + 1 to floor(p) + half.
    const end = this.#keptFrom + buffer.length - half;
    const output = new Float32Array(Math.max(0, Math.ceil(((end - this.#whole) * this.#to) / this.#from) + 1));
    let count = 0;
    while (this.#whole < end) {
      const row = Math.floor((this.#part * this.#phases) / this.#to) * taps;
      const first = this.#whole - half + 1 - this.#keptFrom;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        sum += (buffer[first + tap] as number) * (this.#filter[row + tap] as number);
      }
      output[count++] = sum;
      this.#part += this.#from;
      const step = Math.floor(this.#part / this.#to);
      this.#whole += step;
      this.#part -= step * this.#to;
    }
    const keepFrom = Math.max(0, Math.min(buffer.length, this.#whole - half + 1 - this.#keptFrom));
    this.#kept = buffer.slice(keepFrom);
    this.#keptFrom += keepFrom;
    return output.subarray(0, count);
  }
}

/** Few pairs of rates occur, and a design takes a millisecond of the thread that plays. */
const MAX_KEPT_FILTERS = 8;
const keptFilters = new Map<string, Float32Array>();

function filterOf(phases: number, half: number, cutoff: number): Float32Array {
  const key = `${phases} ${half} ${cutoff}`;
  const kept = keptFilters.get(key);
  if (kept !== undefined) return kept;
  if (keptFilters.size === MAX_KEPT_FILTERS) keptFilters.clear();
  const filter = designFilter(phases, half, cutoff);
  keptFilters.set(key, filter);
  return filter;
}

/** Rows of taps: row r holds the windowed sinc as seen from r / phases between two input samples, with gain 1. */
function designFilter(phases: number, half: number, cutoff: number): Float32Array {
  const taps = 2 * half;
  const filter = new Float32Array(phases * taps);
  const window = kaiserTable(0.1102 * (STOP_BAND_DB - 8.7));
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const distance = tap - half + 1 - phase / phases;
      const value = sinc(2 * cutoff * distance) * windowAt(window, distance / half);
      filter[phase * taps + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < taps; tap++) {
      filter[phase * taps + tap] = (filter[phase * taps + tap] as number) / sum;
    }
  }
  return filter;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

const WINDOW_STEPS = 1024;

/** Right half of the Kaiser window; a filter asks for it a hundred thousand times. */
function kaiserTable(beta: number): Float64Array {
  const peak = bessel(beta);
  return Float64Array.from({ length: WINDOW_STEPS + 1 }, (_, step) => {
    const x = step / WINDOW_STEPS;
    return bessel(beta * Math.sqrt(1 - x * x)) / peak;
  });
}

/** The window at `x`, -1 to 1, between two entries of its table. */
function windowAt(table: Float64Array, x: number): number {
  const place = Math.min(1, Math.abs(x)) * WINDOW_STEPS;
  const step = Math.min(WINDOW_STEPS - 1, Math.floor(place));
  const below = table[step] as number;
  return below + ((table[step + 1] as number) - below) * (place - step);
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-10; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
