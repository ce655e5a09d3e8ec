import { open, rm, type FileHandle } from 'node:fs/promises';
import { errorText } from '../base/errors.ts';
import { MediaError } from './media-error.ts';

export interface WavWriterOptions {
  /** Overwritten when it exists; its folder exists. */
  readonly path: string;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Told once, when the disk refuses; the writer then drops what it is given. */
  readonly onFailure?: (error: MediaError) => void;
}

const HEADER_BYTES = 44;
const BLOCK_BYTES = 32_768;
/** Sound that waits for a slow disk: above four minutes of 8 kHz mono the disk counts as gone. */
const MAX_WAITING_BYTES = 4_194_304;
/** The size field has 32 bits; half of it keeps readers with signed sizes well. */
const MAX_DATA_BYTES = 0x7fff_f000;
/** Written until the true size is known; readers take it as "to the end of the file". */
const UNKNOWN_SIZE = 0x7fff_f000;

/** Opens a PCM 16-bit WAV file for writing. Rejects with MediaError `no-disk`. */
export async function openWavWriter(options: WavWriterOptions): Promise<WavWriter> {
  let file: FileHandle;
  try {
    file = await open(options.path, 'w', 0o600);
  } catch (error) {
    throw noDisk(options.path, error);
  }
  return new WavWriter(file, options);
}

/**
 * Takes sound without waiting and writes it in the background, in blocks. Sizes in the header are set on close. A full
 * disk never throws into the beat of the media: it is told by `onFailure`, and by `close`.
 */
export class WavWriter {
  readonly #file: FileHandle;
  readonly #options: WavWriterOptions;
  #block: Buffer;
  #used: number;
  #frames = 0;
  #waitingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: MediaError | undefined;
  #closed: Promise<void> | undefined;

  constructor(file: FileHandle, options: WavWriterOptions) {
    this.#file = file;
    this.#options = options;
    this.#block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.#used = wavHeader(options, UNKNOWN_SIZE).copy(this.#block);
  }

  /** Samples per channel taken so far. */
  get frames(): number {
    return this.#frames;
  }

  get durationMs(): number {
    return (this.#frames * 1000) / this.#options.sampleRate;
  }

  /** Takes samples (left and right in turn when there are two channels); copies them. */
  append(samples: Int16Array): void {
    if (this.#failure !== undefined || this.#closed !== undefined) return;
    if ((this.#frames + samples.length) * this.#frameBytes() > MAX_DATA_BYTES) {
      this.#fail(new MediaError('no-disk', `${this.#options.path}: a WAV file holds at most ${MAX_DATA_BYTES} bytes`));
      return;
    }
    for (let i = 0; i < samples.length; i++) {
      if (this.#used === BLOCK_BYTES) this.#flush();
      this.#used = this.#block.writeInt16LE(samples[i] as number, this.#used);
    }
    this.#frames += samples.length / this.#options.channels;
  }

  /** Resolves when everything in whole blocks so far is written or refused: for writers that are faster than the disk. */
  flushed(): Promise<void> {
    return this.#writing;
  }

  /**
   * Writes what waits, cuts the sound to `keepFrames` when given, sets the sizes and brings it all to the disk. When any
   * of it failed: removes the file and rejects with MediaError `no-disk`. Safe to call twice.
   */
  close(options: { readonly keepFrames?: number } = {}): Promise<void> {
    this.#closed ??= this.#finish(options.keepFrames ?? this.#frames);
    return this.#closed;
  }

  /** Gives up the recording and removes the file. Never rejects. */
  async discard(): Promise<void> {
    this.#failure ??= new MediaError('closed', `${this.#options.path}: the recording was given up`);
    await this.close().catch(() => undefined);
  }

  async #finish(keepFrames: number): Promise<void> {
    if (this.#failure === undefined) this.#flush();
    await this.#writing;
    if (this.#failure === undefined) {
      await this.#seal(Math.min(this.#frames, keepFrames)).catch((error: unknown) => {
        this.#fail(noDisk(this.#options.path, error));
      });
    }
    await this.#file.close().catch((error: unknown) => this.#fail(noDisk(this.#options.path, error)));
    if (this.#failure === undefined) return;
    await rm(this.#options.path, { force: true }).catch(() => undefined);
    throw this.#failure;
  }

  async #seal(frames: number): Promise<void> {
    const dataBytes = frames * this.#frameBytes();
    if (frames < this.#frames) await this.#file.truncate(HEADER_BYTES + dataBytes);
    await writeAll(this.#file, wavHeader(this.#options, dataBytes), 0);
    await this.#file.sync();
    this.#frames = frames;
  }

  #frameBytes(): number {
    return 2 * this.#options.channels;
  }

  #flush(): void {
    const block = this.#block.subarray(0, this.#used);
    this.#block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.#used = 0;
    this.#waitingBytes += block.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#fail(
        new MediaError('no-disk', `${this.#options.path}: the disk takes longer than the sound; free its load`),
      );
    }
    this.#writing = this.#writing.then(() => this.#write(block));
  }

  async #write(block: Buffer): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await writeAll(this.#file, block, null);
      this.#waitingBytes -= block.length;
    } catch (error) {
      this.#fail(noDisk(this.#options.path, error));
    }
  }

  #fail(error: MediaError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.onFailure?.(error);
  }
}

/** A write may take only part of the bytes (a nearly full disk). */
async function writeAll(file: FileHandle, bytes: Buffer, position: number | null): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const at = position === null ? null : position + done;
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at);
    if (bytesWritten === 0) throw new Error('the disk took no bytes');
    done += bytesWritten;
  }
}

/** The 44 bytes before PCM 16-bit samples. */
function wavHeader(options: WavWriterOptions, dataBytes: number): Buffer {
  const { sampleRate, channels } = options;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(dataBytes + HEADER_BYTES - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

function noDisk(path: string, error: unknown): MediaError {
  return new MediaError('no-disk', `cannot write ${path}: ${errorText(error)}`, { cause: error });
}
