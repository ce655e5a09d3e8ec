/**
 * Makes a frame of sound a few milliseconds shorter or longer without changing its pitch: one period (or the most
 * alike stretch) is left out or repeated, cross-faded over OVERLAP_MS.
 */
const MIN_LAG_MS = 2.5;
const MAX_LAG_MS = 10;
const OVERLAP_MS = 5;

/** Samples beyond the frame that `shorten` may look at. */
export function stretchMargin(sampleRate: number): number {
  return Math.ceil((MAX_LAG_MS * sampleRate) / 1000);
}

/** Shortest frame that can be stretched. */
export function stretchableSamples(sampleRate: number): number {
  return Math.ceil(((MAX_LAG_MS + OVERLAP_MS) * sampleRate) / 1000);
}

/** Fills `into` from `source` (into.length + margin samples); returns how many samples of the source were used. */
export function shorten(source: Int16Array, into: Int16Array, sampleRate: number): number {
  const overlap = Math.round((OVERLAP_MS * sampleRate) / 1000);
  const lag = bestLag(source, overlap, sampleRate);
  for (let i = 0; i < into.length; i++) {
    const later = source[i + lag] as number;
    into[i] = i < overlap ? blend(source[i] as number, later, i / overlap) : later;
  }
  return into.length + lag;
}

/** Fills `into` from fewer samples than it holds; `source` has into.length. Returns how many were used. */
export function lengthen(source: Int16Array, into: Int16Array, sampleRate: number): number {
  const overlap = Math.round((OVERLAP_MS * sampleRate) / 1000);
  const lag = bestLag(source, overlap, sampleRate);
  for (let i = 0; i < into.length; i++) {
    const now = source[i] as number;
    if (i < lag) into[i] = now;
    else {
      const earlier = source[i - lag] as number;
      into[i] = i < lag + overlap ? blend(now, earlier, (i - lag) / overlap) : earlier;
    }
  }
  return into.length - lag;
}

function blend(from: number, to: number, share: number): number {
  return Math.round(from + (to - from) * share);
}

/** The lag at which the first `overlap` samples look most like those that follow (normalised correlation). */
function bestLag(source: Int16Array, overlap: number, sampleRate: number): number {
  const lowest = Math.round((MIN_LAG_MS * sampleRate) / 1000);
  const highest = Math.min(Math.round((MAX_LAG_MS * sampleRate) / 1000), source.length - overlap);
  return mostAlike(source, { at: 0, length: overlap, lowest, highest });
}

interface LagSearch {
  readonly at: number;
  readonly length: number;
  readonly lowest: number;
  readonly highest: number;
}

/** The lag in [lowest, highest] at which `source[at + i]` and `source[at + lag + i]` are most alike. */
export function mostAlike(source: Int16Array, search: LagSearch): number {
  let best = search.lowest;
  let bestScore = -Infinity;
  for (let lag = search.lowest; lag <= search.highest; lag++) {
    let product = 0;
    let energy = 1;
    for (let i = search.at; i < search.at + search.length; i++) {
      const other = source[i + lag] as number;
      product += (source[i] as number) * other;
      energy += other * other;
    }
    const score = product / Math.sqrt(energy);
    if (score > bestScore) {
      bestScore = score;
      best = lag;
    }
  }
  return best;
}
