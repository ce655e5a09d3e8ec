import { Goertzel } from '../wire/sound/goertzel.ts';
import { DTMF_COLUMNS, DTMF_ROWS, keyAt } from './tone.ts';

export interface DetectedKey {
  readonly key: string;
  /** To the precision of a block (12.75 ms). */
  readonly durationMs: number;
}

/**
 * 102 samples at 8 kHz: narrow enough to tell 697 from 770 Hz, and a 40 ms tone (the shortest that ITU-T Q.24 wants
 * recognised) always covers two whole blocks.
 */
const BLOCK_MS = 12.75;
const BLOCKS_TO_START = 2;
/** A break of one block (noise, a lost packet) is part of the press; Q.24 bridges 10 ms. */
const BLOCKS_TO_END = 2;
/** About -37 dBm0 for each tone: weaker sound is the other party's echo. */
const MIN_AMPLITUDE = 260;
/** How much stronger than its partner a tone may be: 8 dB for the row, 4 dB for the column (Q.24, Bellcore). */
const MAX_ROW_TO_COLUMN = 6.3;
const MAX_COLUMN_TO_ROW = 3.98;
/** The tone is at least 8 dB above every other one of its group. */
const MIN_ABOVE_OTHERS = 6.3;
/** Voices hold energy elsewhere; a key press holds nearly all of it in its two tones. */
const MIN_SHARE_OF_ENERGY = 0.75;

const NO_KEYS: readonly DetectedKey[] = [];

/** Finds key tones in sound (Goertzel filters over short blocks), refusing speech that only resembles them. */
export class DtmfDetector {
  readonly #blockSamples: number;
  readonly #rows: readonly Goertzel[];
  readonly #columns: readonly Goertzel[];
  readonly #block: Float64Array;
  #filled = 0;
  #candidate = '';
  #candidateBlocks = 0;
  #active = '';
  #activeBlocks = 0;
  #missedBlocks = 0;

  constructor(options: { readonly sampleRate: number }) {
    const { sampleRate } = options;
    this.#blockSamples = Math.round((BLOCK_MS * sampleRate) / 1000);
    this.#rows = DTMF_ROWS.map((hertz) => new Goertzel(hertz, sampleRate));
    this.#columns = DTMF_COLUMNS.map((hertz) => new Goertzel(hertz, sampleRate));
    this.#block = new Float64Array(this.#blockSamples);
  }

  /** Takes any number of samples; returns the presses that ended in them. */
  push(samples: Int16Array): readonly DetectedKey[] {
    let keys: DetectedKey[] | undefined;
    for (let i = 0; i < samples.length; i++) {
      this.#block[this.#filled++] = samples[i] as number;
      if (this.#filled < this.#blockSamples) continue;
      this.#filled = 0;
      const ended = this.#afterBlock(this.#keyOfBlock());
      if (ended !== undefined) (keys ??= []).push(ended);
    }
    return keys ?? NO_KEYS;
  }

  /** The key that is held now, '' when none. */
  get active(): string {
    return this.#active;
  }

  #afterBlock(key: string): DetectedKey | undefined {
    if (key === this.#candidate) this.#candidateBlocks += 1;
    else {
      this.#candidate = key;
      this.#candidateBlocks = 1;
    }
    if (this.#active !== '' && key === this.#active) {
      this.#activeBlocks += 1 + this.#missedBlocks;
      this.#missedBlocks = 0;
      return undefined;
    }
    let ended: DetectedKey | undefined;
    if (this.#active !== '' && ++this.#missedBlocks >= BLOCKS_TO_END) ended = this.#end();
    if (key !== '' && this.#active === '' && this.#candidateBlocks >= BLOCKS_TO_START) {
      this.#active = key;
      this.#activeBlocks = this.#candidateBlocks;
      this.#missedBlocks = 0;
    }
    return ended;
  }

  #end(): DetectedKey {
    const ended = { key: this.#active, durationMs: Math.round(this.#activeBlocks * BLOCK_MS) };
    this.#active = '';
    this.#missedBlocks = 0;
    return ended;
  }

  /** The key whose tones fill the block, '' when there is none. */
  #keyOfBlock(): string {
    const block = this.#block;
    let energy = 0;
    for (let i = 0; i < block.length; i++) energy += (block[i] as number) ** 2;
    // Two tones at the least amplitude together hold this much.
    if (energy < MIN_AMPLITUDE ** 2 * block.length) return '';
    const row = strongest(this.#rows, block);
    const column = strongest(this.#columns, block);
    if (row === undefined || column === undefined) return '';
    if (row.power > column.power * MAX_ROW_TO_COLUMN || column.power > row.power * MAX_COLUMN_TO_ROW) return '';
    // A tone of amplitude a has the energy a²n/2 and the Goertzel power (an/2)².
    const share = ((row.power + column.power) * 2) / (energy * block.length);
    return share < MIN_SHARE_OF_ENERGY ? '' : keyAt(row.index, column.index);
  }
}

interface Strongest {
  readonly index: number;
  readonly power: number;
}

/** The filter that stands out of its group; undefined when none is loud and clear. */
function strongest(filters: readonly Goertzel[], block: Float64Array): Strongest | undefined {
  const powers = filters.map((filter) => filter.power(block));
  const power = Math.max(...powers);
  const index = powers.indexOf(power);
  if (power < ((MIN_AMPLITUDE * block.length) / 2) ** 2) return undefined;
  if (powers.some((other, i) => i !== index && other * MIN_ABOVE_OTHERS > power)) return undefined;
  return { index, power };
}
