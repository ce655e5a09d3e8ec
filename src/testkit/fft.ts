/** Real and imaginary parts, of the same length. */
export interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Fourier transform in place; the length is a power of two. The inverse is not scaled. */
export function transform({ re, im }: Spectrum, inverse = false): void {
  const n = re.length;
  if ((n & (n - 1)) !== 0) throw new Error(`a transform of ${n} values: want a power of two`);
  reorder(re, im);
  for (let size = 2; size <= n; size *= 2) {
    const angle = ((inverse ? 2 : -2) * Math.PI) / size;
    const half = size / 2;
    const cos = Float64Array.from({ length: half }, (_, k) => Math.cos(angle * k));
    const sin = Float64Array.from({ length: half }, (_, k) => Math.sin(angle * k));
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k++) butterfly(re, im, { a: start + k, b: start + k + half }, cos[k]!, sin[k]!);
    }
  }
}

function butterfly(re: Float64Array, im: Float64Array, at: { a: number; b: number }, cos: number, sin: number): void {
  const { a, b } = at;
  const real = re[b]! * cos - im[b]! * sin;
  const imaginary = re[b]! * sin + im[b]! * cos;
  re[b] = re[a]! - real;
  im[b] = im[a]! - imaginary;
  re[a] = re[a]! + real;
  im[a] = im[a]! + imaginary;
}

function reorder(re: Float64Array, im: Float64Array): void {
  for (let i = 1, j = 0; i < re.length; i++) {
    let bit = re.length >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
}

/** The spectrum of the samples with zeros behind them. */
export function spectrumOf(samples: Float64Array, size: number): Spectrum {
  const re = new Float64Array(size);
  re.set(samples.subarray(0, size));
  const spectrum = { re, im: new Float64Array(size) };
  transform(spectrum);
  return spectrum;
}

/** sum over i of heard[i + lag] * reference[i], for every lag from 0 to heard.length - 1. */
export function crossCorrelate(heard: Float64Array, reference: Float64Array): Float64Array {
  let size = 1;
  while (size < heard.length + reference.length) size *= 2;
  const a = spectrumOf(heard, size);
  const b = spectrumOf(reference, size);
  for (let k = 0; k < size; k++) {
    const real = a.re[k]! * b.re[k]! + a.im[k]! * b.im[k]!;
    a.im[k] = a.im[k]! * b.re[k]! - a.re[k]! * b.im[k]!;
    a.re[k] = real;
  }
  transform(a, true);
  return a.re.subarray(0, heard.length).map((value) => value / size);
}
