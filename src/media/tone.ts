import { saturate } from './mixer.ts';

/** A full-scale sine is +3.17 dBm0 in G.711 (mu-law; A-law differs by 0.03 dB). */
const FULL_SCALE_DBM0 = 3.17;
const FULL_SCALE = 32_767;
export const DEFAULT_TONE_LEVEL_DBM0 = -13;
/** On and off with a ramp this long, so that no click is heard. */
const RAMP_MS = 3;

export interface ToneOptions {
  readonly hertz: readonly number[];
  readonly sampleRate: number;
  /** Alternates on and off, starting with on; absent: always on. */
  readonly cadenceMs?: readonly number[];
  /** dBm0 of the whole sum, its parts being equally strong. Default -13. */
  readonly level?: number;
  /** dBm0 of each part, instead of `level`. */
  readonly levels?: readonly number[];
  /** Ends after this long; absent: never. */
  readonly durationMs?: number;
}

/** Sum of sine waves as a stream of samples. */
export class ToneGenerator {
  readonly #steps: readonly number[];
  readonly #amplitudes: readonly number[];
  /** Samples at which the cadence turns, over one round; empty when always on. */
  readonly #turns: readonly number[];
  readonly #totalSamples: number;
  readonly #rampSamples: number;
  #at = 0;

  constructor(options: ToneOptions) {
    const { hertz, sampleRate, level = DEFAULT_TONE_LEVEL_DBM0 } = options;
    const each = level - 10 * Math.log10(Math.max(1, hertz.length));
    this.#steps = hertz.map((frequency) => (2 * Math.PI * frequency) / sampleRate);
    this.#amplitudes = hertz.map((_, i) => amplitudeOf(options.levels?.[i] ?? each));
    let sum = 0;
    this.#turns = (options.cadenceMs ?? []).map((ms) => (sum += Math.round((ms * sampleRate) / 1000)));
    this.#totalSamples =
      options.durationMs === undefined ? Infinity : Math.round((options.durationMs * sampleRate) / 1000);
    this.#rampSamples = Math.max(1, Math.round((RAMP_MS * sampleRate) / 1000));
  }

  /** Fills `into`; returns how many samples belong to the tone, the rest (after its end) being silence. */
  fill(into: Int16Array): number {
    const count = Math.max(0, Math.min(into.length, this.#totalSamples - this.#at));
    for (let i = 0; i < count; i++) {
      const sample = this.#at + i;
      const gain = this.#gainAt(sample);
      let value = 0;
      if (gain > 0) {
        for (let part = 0; part < this.#steps.length; part++) {
          value += (this.#amplitudes[part] as number) * Math.sin((this.#steps[part] as number) * sample);
        }
      }
      into[i] = saturate(Math.round(value * gain));
    }
    into.fill(0, count);
    this.#at += count;
    return count;
  }

  #gainAt(sample: number): number {
    let sinceOn = sample;
    let untilOff = this.#totalSamples - sample;
    const round = this.#turns.at(-1) ?? 0;
    if (round > 0) {
      const phase = sample % round;
      const index = this.#turns.findIndex((turn) => phase < turn);
      if (index % 2 === 1) return 0;
      sinceOn = phase - (index === 0 ? 0 : (this.#turns[index - 1] as number));
      untilOff = Math.min(untilOff, (this.#turns[index] as number) - phase);
    }
    return Math.min(1, (sinceOn + 0.5) / this.#rampSamples, untilOff / this.#rampSamples);
  }
}

/** All samples of a tone that ends. */
export function toneSamples(options: ToneOptions & { readonly durationMs: number }): Int16Array {
  const samples = new Int16Array(Math.round((options.durationMs * options.sampleRate) / 1000));
  new ToneGenerator(options).fill(samples);
  return samples;
}

/** Peak of a sine of `level` dBm0, in 16-bit units. */
function amplitudeOf(level: number): number {
  return FULL_SCALE * 10 ** ((level - FULL_SCALE_DBM0) / 20);
}

/** Rows and columns of the keypad in hertz (ITU-T Q.23). */
export const DTMF_ROWS = [697, 770, 852, 941] as const;
export const DTMF_COLUMNS = [1209, 1336, 1477, 1633] as const;
const KEYPAD = ['123A', '456B', '789C', '*0#D'];
/** The upper tone leaves 2 dB stronger, since lines weaken it more. */
const DTMF_LEVELS = [-10, -8] as const;

/** The key where a row and a column of the keypad meet. */
export function keyAt(row: number, column: number): string {
  return KEYPAD[row]?.[column] ?? '';
}

/** The two frequencies of a key `0-9*#A-D`, low one first; undefined for anything else. */
export function dtmfHertz(key: string): readonly [number, number] | undefined {
  if (key.length !== 1) return undefined;
  const row = KEYPAD.findIndex((keys) => keys.includes(key.toUpperCase()));
  if (row < 0) return undefined;
  const column = (KEYPAD[row] as string).indexOf(key.toUpperCase());
  return [DTMF_ROWS[row] as number, DTMF_COLUMNS[column] as number];
}

/** The sound of a key; undefined when it is no key. */
export function dtmfTone(key: string, durationMs: number, sampleRate: number): ToneOptions | undefined {
  const hertz = dtmfHertz(key);
  return hertz === undefined ? undefined : { hertz, levels: DTMF_LEVELS, durationMs, sampleRate };
}

export type CallProgressSound = 'dial' | 'ringback' | 'busy' | 'congestion';

interface CallProgressTone {
  readonly hertz: readonly number[];
  readonly cadenceMs?: readonly number[];
}

/** ITU-T E.180 Supplement 2: the sounds people know from their own country. */
const CALL_PROGRESS: Readonly<Record<string, Readonly<Record<CallProgressSound, CallProgressTone>>>> = {
  us: {
    dial: { hertz: [350, 440] },
    ringback: { hertz: [440, 480], cadenceMs: [2000, 4000] },
    busy: { hertz: [480, 620], cadenceMs: [500, 500] },
    congestion: { hertz: [480, 620], cadenceMs: [250, 250] },
  },
  gb: {
    dial: { hertz: [350, 440] },
    ringback: { hertz: [400, 450], cadenceMs: [400, 200, 400, 2000] },
    busy: { hertz: [400], cadenceMs: [375, 375] },
    congestion: { hertz: [400], cadenceMs: [400, 350, 225, 525] },
  },
  de: {
    dial: { hertz: [425] },
    ringback: { hertz: [425], cadenceMs: [1000, 4000] },
    busy: { hertz: [425], cadenceMs: [480, 480] },
    congestion: { hertz: [425], cadenceMs: [240, 240] },
  },
  fr: {
    dial: { hertz: [440] },
    ringback: { hertz: [440], cadenceMs: [1500, 3500] },
    busy: { hertz: [440], cadenceMs: [500, 500] },
    congestion: { hertz: [440], cadenceMs: [250, 250] },
  },
  jp: {
    dial: { hertz: [400] },
    ringback: { hertz: [384, 416], cadenceMs: [1000, 2000] },
    busy: { hertz: [400], cadenceMs: [500, 500] },
    congestion: { hertz: [400], cadenceMs: [500, 500] },
  },
};

/** A network sound of a country (ISO 3166 two-letter code; unknown ones sound like the US). */
export function callProgressTone(sound: CallProgressSound, country = 'us'): CallProgressTone {
  const sounds = CALL_PROGRESS[country.toLowerCase()] ?? CALL_PROGRESS['us'];
  return (sounds as Readonly<Record<CallProgressSound, CallProgressTone>>)[sound];
}
