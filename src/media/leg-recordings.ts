import type { Recording, RecordOptions } from './media-node.ts';
import { Mixer } from './mixer.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { FRAME_SAMPLES, SAMPLE_RATE } from './sound-format.ts';

interface Slot {
  readonly recorder: Recorder;
  readonly track: NonNullable<RecordOptions['track']>;
  /** The beep that announces this recording is not in it. */
  awaitsBeep: boolean;
}

/** The recordings that run on one leg at once, each with its own choice of what is recorded. */
export class LegRecordings {
  readonly #holding: RecorderOptions['holding'];
  readonly #mixer = new Mixer(FRAME_SAMPLES);
  readonly #mixed = new Int16Array(FRAME_SAMPLES);
  readonly #silence = new Int16Array(FRAME_SAMPLES);
  #slots: Slot[] = [];

  constructor(holding: RecorderOptions['holding']) {
    this.#holding = holding;
  }

  start(options: RecordOptions): Recording {
    const track = options.track ?? 'inbound';
    const channels = track === 'both' ? (options.channels ?? 1) : 1;
    const recorder = new Recorder({ ...options, channels, sampleRate: SAMPLE_RATE, holding: this.#holding });
    this.#slots.push({ recorder, track, awaitsBeep: options.beep ?? false });
    return recorder;
  }

  get wantHeard(): boolean {
    return this.#slots.some((slot) => slot.track !== 'outbound');
  }

  get wantSpoken(): boolean {
    return this.#slots.some((slot) => slot.track !== 'inbound');
  }

  /** The beep is over: what comes from now on is recorded. */
  beepEnded(): void {
    for (const slot of this.#slots) slot.awaitsBeep = false;
  }

  /** Takes one tick of both directions; `spoken` is undefined where silence was sent. */
  push(heard: Int16Array, spoken: Int16Array | undefined): void {
    if (this.#slots.length === 0) return;
    for (const slot of this.#slots) if (!slot.awaitsBeep) this.#pushTo(slot, heard, spoken ?? this.#silence);
    this.#slots = this.#slots.filter((slot) => !slot.recorder.ended);
  }

  key(digit: string, startedMs: number, nowMs: number): void {
    for (const slot of this.#slots) if (!slot.awaitsBeep) slot.recorder.key(digit, startedMs, nowMs);
  }

  /** Ends all; resolves when they are on disk. */
  async hangUp(): Promise<void> {
    const slots = this.#slots;
    for (const { recorder } of slots) recorder.hangUp();
    await Promise.all(slots.map(({ recorder }) => recorder.done));
  }

  #pushTo({ recorder, track }: Slot, heard: Int16Array, spoken: Int16Array): void {
    if (track === 'inbound') recorder.push([heard]);
    else if (track === 'outbound') recorder.push([spoken]);
    else if (recorder.channels === 2) recorder.push([heard, spoken]);
    else {
      this.#mixer.mix([heard, spoken], this.#mixed);
      recorder.push([this.#mixed]);
    }
  }
}
