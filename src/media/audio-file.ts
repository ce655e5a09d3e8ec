import { open, type FileHandle } from 'node:fs/promises';
import { errorText } from '../base/errors.ts';
import { quoted } from '../base/parsed.ts';
import { MediaError } from './media-error.ts';
import { decodeMp3, isMp3, type DecodedPiece } from './mp3.ts';
import { Resampler } from '../wire/sound/resample.ts';
import type { SoundCache } from './sound-cache.ts';
import { isWav, parseWav, readWavMono, wavFrames } from './wav-reader.ts';
import { WorkSlices } from './work-slices.ts';

export const MAX_SOUND_BYTES = 67_108_864;
export const MAX_SOUND_SECONDS = 1800;
/** Frames of a WAV file decoded in one step. */
const PIECE_FRAMES = 2048;
const SHOWN_BYTES = 16;

export interface LoadSoundOptions {
  /** Of the result. */
  readonly sampleRate: number;
  /** Keeps the decoded sound for the next caller. */
  readonly cache?: SoundCache;
  readonly maxBytes?: number;
  readonly maxSeconds?: number;
}

/**
 * The sound of a WAV or MP3 file (told by its content) as mono 16-bit samples. The result may be shared with other
 * callers: read it only. Works in slices of a few milliseconds. Rejects with MediaError `bad-audio`, saying what was
 * found instead of sound.
 */
export async function loadSound(path: string, options: LoadSoundOptions): Promise<Int16Array> {
  const { sampleRate, cache } = options;
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new MediaError('bad-audio', `cannot open the sound file ${quoted(path)}: ${errorText(error)}`, {
      cause: error,
    });
  });
  try {
    const { size, mtimeMs } = await file.stat();
    const load = (): Promise<Int16Array> => decodeFile(file, { ...options, path, size });
    if (cache === undefined) return await load();
    return await cache.get(`${path}\n${mtimeMs}\n${size}\n${sampleRate}`, load);
  } finally {
    await file.close();
  }
}

interface FileToDecode extends LoadSoundOptions {
  readonly path: string;
  readonly size: number;
}

async function decodeFile(file: FileHandle, job: FileToDecode): Promise<Int16Array> {
  const maxBytes = job.maxBytes ?? MAX_SOUND_BYTES;
  if (job.size > maxBytes) throw badAudio(job.path, `${job.size} bytes: want at most ${maxBytes}`);
  const bytes = await readWhole(file, job.size).catch((error: unknown) => {
    throw badAudio(job.path, errorText(error));
  });
  return decodeSound(bytes, job);
}

async function readWhole(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    const { bytesRead } = await file.read(bytes, done, size - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** As loadSound, from bytes in memory. `path` is for messages. */
export async function decodeSound(
  bytes: Uint8Array,
  options: Omit<LoadSoundOptions, 'cache' | 'maxBytes'> & { readonly path: string },
): Promise<Int16Array> {
  const maxSeconds = options.maxSeconds ?? MAX_SOUND_SECONDS;
  const output = new SampleCollector(options.sampleRate, maxSeconds);
  const slices = new WorkSlices();
  try {
    for await (const piece of piecesOf(bytes)) {
      if (!output.add(piece)) throw new NotSound(`longer than ${maxSeconds} s: want a shorter sound`);
      await slices.breathe();
    }
  } catch (error) {
    throw badAudio(options.path, errorText(error));
  }
  const samples = output.end();
  if (samples === undefined) throw badAudio(options.path, 'it holds no sound');
  return samples;
}

class NotSound extends Error {}

function piecesOf(bytes: Uint8Array): AsyncGenerator<DecodedPiece> | Generator<DecodedPiece> {
  if (isWav(bytes)) return wavPieces(bytes);
  if (isMp3(bytes)) return decodeMp3(bytes);
  throw new NotSound(`want WAV or MP3, got ${found(bytes)}`);
}

function* wavPieces(bytes: Uint8Array): Generator<DecodedPiece> {
  const parsed = parseWav(bytes);
  if (parsed.kind !== 'ok') throw new NotSound(parsed.kind === 'bad' ? parsed.reason : 'cut short');
  const format = parsed.value;
  const buffer = new Float32Array(PIECE_FRAMES);
  for (let frame = 0; frame < wavFrames(format); frame += PIECE_FRAMES) {
    const count = readWavMono(bytes, format, frame, buffer);
    yield { samples: buffer.subarray(0, count), sampleRate: format.sampleRate };
  }
}

/** Resamples pieces and gathers 16-bit samples in growing memory. */
class SampleCollector {
  readonly #rate: number;
  readonly #maxSamples: number;
  #samples: Int16Array;
  #length = 0;
  #resampler: Resampler | undefined;
  #inputRate = 0;

  constructor(sampleRate: number, maxSeconds: number) {
    this.#rate = sampleRate;
    this.#maxSamples = maxSeconds * sampleRate;
    this.#samples = new Int16Array(sampleRate);
  }

  /** False when the sound is longer than allowed. */
  add(piece: DecodedPiece): boolean {
    if (piece.sampleRate !== this.#inputRate) {
      if (this.#resampler !== undefined) this.#append(this.#resampler.end());
      this.#inputRate = piece.sampleRate;
      this.#resampler = new Resampler(piece.sampleRate, this.#rate);
    }
    this.#append((this.#resampler as Resampler).push(piece.samples));
    return this.#length <= this.#maxSamples;
  }

  /** Everything; undefined when there was not a sample. */
  end(): Int16Array | undefined {
    if (this.#resampler !== undefined) this.#append(this.#resampler.end());
    return this.#length === 0 ? undefined : this.#samples.slice(0, this.#length);
  }

  #append(values: Float32Array): void {
    const needed = this.#length + values.length;
    if (needed > this.#samples.length) {
      const larger = new Int16Array(Math.max(needed, this.#samples.length * 2));
      larger.set(this.#samples.subarray(0, this.#length));
      this.#samples = larger;
    }
    for (let i = 0; i < values.length; i++) {
      const scaled = Math.round((values[i] as number) * 32_768);
      this.#samples[this.#length + i] = scaled > 32_767 ? 32_767 : scaled < -32_768 ? -32_768 : scaled;
    }
    this.#length = needed;
  }
}

function found(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  return `a file that starts with ${quoted(String.fromCharCode(...bytes.subarray(0, SHOWN_BYTES)))}`;
}

function badAudio(path: string, reason: string): MediaError {
  return new MediaError('bad-audio', `${quoted(path)} is no sound that can be played: ${reason}`);
}
