import { deferred } from '../base/deferred.ts';
import { errorText } from '../base/errors.ts';
import { digitsFault } from './digit-sender.ts';
import { MediaError } from './media-error.ts';
import type { MediaErrorCode, Playback, SoundSource } from './media-node.ts';
import { ToneGenerator, type ToneOptions } from './tone.ts';

export type PlaybackOutcome = Awaited<Playback['done']>;

export interface PlayoutOptions {
  readonly sources: readonly SoundSource[];
  /** How often the whole list is played; 0 = for ever. */
  readonly loop: number;
  readonly sampleRate: number;
  readonly loadSound: (path: string) => Promise<Int16Array>;
  /** Sends digits between two sources; resolves when they are out. */
  readonly sendDigits: (digits: string) => Playback;
}

/** A source while it is being played. */
interface Reader {
  /** Writes samples from `at` on and returns how many; 0 when it has ended. Undefined: nothing yet, ask again. */
  read(into: Int16Array, at: number): number | undefined;
  /** Nothing is left. */
  readonly spent: boolean;
  stop?(): void;
}

const MS_PER_SECOND = 1_000;
const EMPTY: Reader = { read: () => 0, spent: true };

/** Plays sources one after another without a gap, as frames that are asked for once a tick. */
export class Playout implements Playback {
  readonly done: Promise<PlaybackOutcome>;
  readonly #options: PlayoutOptions;
  readonly #outcome = deferred<PlaybackOutcome>();
  /** Sounds of files, loading or loaded, by their place in the list. */
  readonly #loading = new Map<number, LoadedSound>();
  #index = 0;
  #round = 0;
  #samplesInRound = 0;
  #reader: Reader | undefined;
  #playedSamples = 0;
  #exhausted = false;
  #settled = false;

  constructor(options: PlayoutOptions) {
    this.#options = options;
    this.done = this.#outcome.promise;
    const fault = options.sources.map(sourceFault).find((reason) => reason !== undefined);
    if (fault !== undefined) this.fail(new MediaError('bad-audio', fault));
    else this.#preload(0);
  }

  get settled(): boolean {
    return this.#settled;
  }

  stop(): void {
    this.#settle('stopped');
  }

  fail(error: unknown): void {
    const code: MediaErrorCode = error instanceof MediaError ? error.code : 'bad-audio';
    this.#settle('failed', { error: code, message: errorText(error) });
  }

  /** Fills a frame; false when there is nothing to send now (a file is loading, digits go out, or all is played). */
  next(into: Int16Array): boolean {
    let filled = 0;
    while (filled < into.length && !this.#settled && !this.#exhausted) {
      this.#reader ??= this.#open(this.#index);
      const count = this.#reader.read(into, filled);
      if (count === undefined) break;
      if (count === 0) this.#advance();
      else {
        filled += count;
        this.#samplesInRound += count;
      }
    }
    // The end is seen now, not by asking on: a last frame that is full must not cost another tick.
    if (this.#reader?.spent === true) this.#advance();
    into.fill(0, filled);
    this.#playedSamples += filled;
    return filled > 0;
  }

  /** Call it after the frame of `next` has left: only then is the last one played. */
  afterSend(): void {
    if (this.#exhausted) this.#settle('completed');
  }

  #advance(): void {
    this.#reader = undefined;
    this.#index += 1;
    if (this.#index < this.#options.sources.length) {
      this.#preload(this.#index);
      return;
    }
    this.#round += 1;
    const { loop } = this.#options;
    // A list without a single sample would otherwise spin for ever.
    if (this.#samplesInRound === 0 || (loop !== 0 && this.#round >= loop)) this.#exhausted = true;
    this.#index = 0;
    this.#samplesInRound = 0;
  }

  #preload(index: number): void {
    for (const at of [index, index + 1]) {
      const source = this.#options.sources[at];
      if (source?.kind !== 'file' || this.#loading.has(at)) continue;
      this.#loading.set(at, new LoadedSound(this.#options.loadSound(source.path), (error) => this.fail(error)));
    }
  }

  #open(index: number): Reader {
    const source = this.#options.sources[index];
    const { sampleRate } = this.#options;
    switch (source?.kind) {
      case undefined:
        return EMPTY;
      case 'file': {
        const sound = this.#loading.get(index);
        return sound === undefined ? EMPTY : new SampleReader(sound);
      }
      case 'silence':
        return new ToneReader({ hertz: [], sampleRate, durationMs: source.durationMs });
      case 'tone':
        return new ToneReader({ ...source, sampleRate });
      case 'digits':
        return this.#digitReader(this.#options.sendDigits(source.digits));
      default:
        return source satisfies never;
    }
  }

  #digitReader(playback: Playback): Reader {
    let ended = false;
    void playback.done.then(({ outcome, error, message, playedMs }) => {
      ended = true;
      const samples = (playedMs * this.#options.sampleRate) / MS_PER_SECOND;
      this.#playedSamples += samples;
      this.#samplesInRound += samples;
      if (outcome === 'failed') this.fail(new MediaError(error ?? 'closed', message ?? 'digits were not sent'));
    });
    return { spent: false, read: () => (ended ? 0 : undefined), stop: () => playback.stop() };
  }

  #settle(outcome: PlaybackOutcome['outcome'], details: Pick<PlaybackOutcome, 'error' | 'message'> = {}): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#reader?.stop?.();
    const playedMs = Math.round((this.#playedSamples * MS_PER_SECOND) / this.#options.sampleRate);
    this.#outcome.resolve({ outcome, playedMs, ...details });
  }
}

/** The samples of a file, once they are there. */
class LoadedSound {
  samples: Int16Array | undefined;
  constructor(loading: Promise<Int16Array>, onFailure: (error: unknown) => void) {
    loading.then((samples) => (this.samples = samples), onFailure);
  }
}

class SampleReader implements Reader {
  readonly #sound: LoadedSound;
  #at = 0;

  constructor(sound: LoadedSound) {
    this.#sound = sound;
  }

  get spent(): boolean {
    return this.#sound.samples !== undefined && this.#at >= this.#sound.samples.length;
  }

  read(into: Int16Array, at: number): number | undefined {
    const { samples } = this.#sound;
    if (samples === undefined) return undefined;
    const piece = samples.subarray(this.#at, this.#at + into.length - at);
    into.set(piece, at);
    this.#at += piece.length;
    return piece.length;
  }
}

class ToneReader implements Reader {
  readonly #tone: ToneGenerator;
  #left: number;

  constructor(options: ToneOptions & { readonly durationMs: number }) {
    this.#tone = new ToneGenerator(options);
    this.#left = Math.round((options.durationMs * options.sampleRate) / MS_PER_SECOND);
  }

  get spent(): boolean {
    return this.#left <= 0;
  }

  read(into: Int16Array, at: number): number {
    const count = this.#tone.fill(into.subarray(at));
    this.#left -= count;
    return count;
  }
}

function sourceFault(source: SoundSource): string | undefined {
  if (source.kind === 'digits') return digitsFault(source.digits);
  return undefined;
}
