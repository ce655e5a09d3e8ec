import { deferred } from '../base/deferred.ts';
import { errorText } from '../base/errors.ts';
import { MediaError } from './media-error.ts';
import type { Recording, RecordingResult } from './media-node.ts';
import { FRAME_MS } from './ticker.ts';
import { VoiceActivity } from './voice-activity.ts';
import { openWavWriter, type WavWriter } from './wav-writer.ts';

/** A day; a recording without a limit of its own must not fill the disk for ever. */
export const MAX_RECORDING_MS = 86_400_000;
/** Kept around the sound when silence is trimmed: words begin and end softly. */
const TRIM_MARGIN_MS = 200;
/** The frame in which a key's sound began holds some of it. */
const KEY_MARGIN_MS = FRAME_MS;

export interface RecorderOptions {
  readonly path: string;
  readonly channels: 1 | 2;
  readonly sampleRate: number;
  readonly maxLengthMs?: number;
  readonly silenceMs?: number;
  readonly finishOnKey?: string;
  readonly trim?: boolean;
  /** Wraps the last writes, which virtual time waits for. */
  readonly holding: (work: () => Promise<void>) => Promise<void>;
}

type End = Pick<RecordingResult, 'endedBy' | 'digit'>;

/** One recording: frames in, a WAV out, with the reason of its end. */
export class Recorder implements Recording {
  readonly channels: 1 | 2;
  readonly done: Promise<RecordingResult>;
  readonly #options: RecorderOptions;
  readonly #outcome = deferred<RecordingResult>();
  readonly #opening: Promise<WavWriter>;
  #writer: WavWriter | undefined;
  /** Frames that came before the file was open. */
  readonly #early: Int16Array[] = [];
  /** Samples taken, for each channel. */
  #samples = 0;
  readonly #voices: readonly VoiceActivity[];
  readonly #lead: Int16Array[][] = [];
  #paused = false;
  #ended = false;
  #heard = false;
  /** One past the last sample with sound in it. */
  #lastSound = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.done = this.#outcome.promise;
    const { path, channels, sampleRate } = options;
    this.channels = channels;
    this.#voices = Array.from({ length: channels }, () => new VoiceActivity({ sampleRate }));
    this.#opening = openWavWriter({ path, channels, sampleRate, onFailure: (error) => this.#fail(error) });
    this.#opening.then(
      (writer) => this.#opened(writer),
      (error: unknown) => this.#fail(error),
    );
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Takes what one tick brought, a frame for each channel. */
  push(channels: readonly Int16Array[]): void {
    if (this.#ended || this.#paused) return;
    let sound = false;
    for (const [index, voice] of this.#voices.entries()) sound = voice.push(channels[index] as Int16Array) || sound;
    if (sound) this.#heard = true;
    if (this.#options.trim === true && !this.#heard) this.#remember(channels);
    else this.#write(channels, sound);
    this.#checkLimits();
  }

  /** A key of the recorded party, pressed since `startedMs`; ends the recording when it is one of `finishOnKey`. */
  key(digit: string, startedMs: number, nowMs: number): void {
    if (this.#ended || !(this.#options.finishOnKey ?? '').includes(digit)) return;
    const cutMs = Math.max(0, nowMs - startedMs) + KEY_MARGIN_MS;
    const cut = Math.round((cutMs * this.#options.sampleRate) / 1_000);
    this.#end({ endedBy: 'key', digit }, Math.max(0, this.#samples - cut));
  }

  stop(): void {
    this.#end({ endedBy: 'stop' });
  }

  hangUp(): void {
    this.#end({ endedBy: 'hangup' });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  #remember(channels: readonly Int16Array[]): void {
    this.#lead.push(channels.map((channel) => channel.slice()));
    if (this.#lead.length * FRAME_MS > TRIM_MARGIN_MS) this.#lead.shift();
  }

  #write(channels: readonly Int16Array[], sound: boolean): void {
    for (const earlier of this.#lead.splice(0)) this.#append(earlier);
    this.#append(channels);
    if (sound) this.#lastSound = this.#samples;
  }

  #append(channels: readonly Int16Array[]): void {
    const samples = interleave(channels);
    this.#samples += samples.length / channels.length;
    if (this.#writer === undefined) this.#early.push(samples.slice());
    else this.#writer.append(samples);
  }

  #opened(writer: WavWriter): void {
    this.#writer = writer;
    for (const samples of this.#early.splice(0)) writer.append(samples);
  }

  #checkLimits(): void {
    const { maxLengthMs = MAX_RECORDING_MS, silenceMs } = this.#options;
    if (this.#lengthMs(this.#samples) >= maxLengthMs) this.#end({ endedBy: 'max-length' });
    const silentMs = Math.min(...this.#voices.map((voice) => voice.silentMs));
    if (silenceMs !== undefined && silentMs >= silenceMs) this.#end({ endedBy: 'silence' });
  }

  #lengthMs(samples: number): number {
    return (samples * 1_000) / this.#options.sampleRate;
  }

  #end(end: End, keep = this.#samples): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#options.holding(() => this.#close(end, keep));
  }

  async #close(end: End, keep: number): Promise<void> {
    const keepFrames = this.#keptSamples(keep);
    const { channels } = this.#options;
    try {
      const writer = await this.#opening;
      if (keepFrames === 0) await writer.discard();
      else await writer.close({ keepFrames });
      this.#outcome.resolve({ ...end, durationMs: Math.round(this.#lengthMs(keepFrames)), channels });
    } catch (error) {
      this.#settleFailed(error);
    }
  }

  /** Nothing but silence is no recording. */
  #keptSamples(keep: number): number {
    if (!this.#heard) return 0;
    if (this.#options.trim !== true) return keep;
    return Math.min(keep, this.#lastSound + Math.round((TRIM_MARGIN_MS * this.#options.sampleRate) / 1_000));
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#options.holding(async () => {
      await this.#opening.then(
        (writer) => writer.discard(),
        () => undefined,
      );
      this.#settleFailed(error);
    });
  }

  #settleFailed(error: unknown): void {
    const { channels } = this.#options;
    const code = error instanceof MediaError ? error.code : 'no-disk';
    this.#outcome.resolve({ endedBy: 'failed', durationMs: 0, channels, error: code, message: errorText(error) });
  }
}

/** Left and right in turn; one channel as it is. */
function interleave(channels: readonly Int16Array[]): Int16Array {
  const [left, right] = channels as readonly [Int16Array, Int16Array | undefined];
  if (right === undefined) return left;
  const both = new Int16Array(left.length * 2);
  for (let i = 0; i < left.length; i += 1) {
    both[2 * i] = left[i] as number;
    both[2 * i + 1] = right[i] as number;
  }
  return both;
}
