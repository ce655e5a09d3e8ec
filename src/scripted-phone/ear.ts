import { after, holding, type Clock } from '../base/clock.ts';
import { loadSound } from '../media/audio-file.ts';
import type { SoundSource } from '../media/media-node.ts';
import { SAMPLE_RATE } from '../media/sound-format.ts';
import { ToneGenerator } from '../media/tone.ts';
import type { Hearing, SoundName } from './hearing.ts';
import type { NamedSounds } from './named-sounds.ts';
import type { Announcement } from './observed-media.ts';
import { ArrivedSound, SoundMatch, type MatchRules } from './sound-match.ts';

/** A sound may arrive so much later than it is played: frames, jitter buffers, the network. */
const LONGEST_WAY_MS = 1000;
/** A sound that follows another without a gap is looked for so much before and after its place. */
const PLACE_MS = 40;
/** After the service stopped playing, so much is still under way. */
const UNDER_WAY_MS = 300;
/** Less than this of a sound is not missed when it is stopped. */
const SHORTEST_MS = 250;
/** The first of a ringing tone's rounds is enough to know it by. */
const MAX_TONE_MS = 6000;

/** After the end of a call nothing is under way any more, when so long nothing has come. */
const STILL_MS = 200;
/** A machine that stands still lets this timer end before it reads what came meanwhile: so often is looked. */
const LOOKS = 4;
/** Who goes on sending after the end is not listened to for ever. */
const MAX_LOOKS = 40;

export interface EarOptions {
  readonly clock: Clock;
  readonly names: NamedSounds;
  /** A sound begins to be heard. */
  readonly onBegin: (name: SoundName) => void;
  readonly onHeard: (hearing: Hearing) => void;
  /** How exact the arrival must be; default: as in virtual time. */
  readonly rules?: MatchRules;
}

interface Wanted {
  readonly name: SoundName | undefined;
  readonly samples: Int16Array;
}

/** Listens to what really arrives at one phone, and tells which of the announced sounds it is. */
export class Ear {
  readonly #options: EarOptions;
  readonly #arrived = new ArrivedSound();
  #playbacks: HeardPlayback[] = [];
  /** Where announced sounds begin whose files are still being read: what arrives meanwhile is kept. */
  readonly #reading = new Set<{ readonly from: number }>();

  constructor(options: EarOptions) {
    this.#options = options;
  }

  /** The service begins to play. `optional`: what does not arrive is not missed. */
  announce(announcement: Announcement, optional = false): void {
    const { clock, names } = this.#options;
    const from = this.#arrived.end;
    const reading = { from };
    this.#reading.add(reading);
    const add = async (): Promise<void> => {
      const wanted = await Promise.all(
        announcement.sources.map((source) => wantedOf(source, announcement.name ?? names)),
      );
      this.#playbacks.push(new HeardPlayback(wanted.flat(), { ...this.#options, from, optional }, announcement.done));
    };
    // A file that cannot be read is told by the service, which plays it.
    void holding(clock, add)
      .catch(() => undefined)
      .finally(() => this.#reading.delete(reading));
  }

  /** What arrived in one tick. */
  push(frame: Int16Array): void {
    this.#arrived.push(frame);
    for (const playback of this.#playbacks) playback.update(this.#arrived);
    this.#playbacks = this.#playbacks.filter((playback) => !playback.over);
    const needed = [...this.#playbacks.map(({ needs }) => needs), ...[...this.#reading].map((each) => each.from)];
    this.#arrived.forget(Math.min(this.#arrived.end, ...needed));
  }

  /** Calls back when what was sent before the end of the call has arrived. */
  whenStill(clock: Clock, onStill: () => void): void {
    // In virtual time silence is pushed as well, and nothing is late.
    if (this.#options.rules === undefined) {
      after(clock, STILL_MS, onStill);
      return;
    }
    const look = (looks: number, still: number, end: number): void => {
      if (still === LOOKS || looks === MAX_LOOKS) return onStill();
      after(clock, STILL_MS / LOOKS, () => {
        look(looks + 1, this.#arrived.end === end ? still + 1 : 0, this.#arrived.end);
      });
    };
    look(0, 0, this.#arrived.end);
  }

  /** The phone hung up: nothing more arrives. */
  close(): void {
    // The end of a sound is judged with what comes after it: nothing.
    const { resyncMs = 0 } = this.#options.rules ?? {};
    if (resyncMs > 0) this.push(new Int16Array(inSamples(resyncMs)));
    for (const playback of this.#playbacks) playback.close();
    this.#playbacks = [];
  }
}

interface PlaybackOptions extends EarOptions {
  readonly from: number;
  readonly optional: boolean;
}

/** One playback: its sounds one after another. */
class HeardPlayback {
  over = false;
  readonly #wanted: readonly Wanted[];
  readonly #options: PlaybackOptions;
  #index = 0;
  #match: SoundMatch;
  #begun = false;
  /** Set when the service has stopped: where in what arrives, and how much it had played by then. */
  #stop: { readonly at: number; readonly playedMs: number; readonly completed: boolean } | undefined;
  #end = 0;

  constructor(wanted: readonly Wanted[], options: PlaybackOptions, done: Announcement['done']) {
    this.#wanted = wanted;
    this.#options = options;
    this.#match = this.#matchAt(options.from, {
      before: 0,
      after: inSamples(options.rules?.longestWayMs ?? LONGEST_WAY_MS),
    });
    void done.then(({ outcome, playedMs }) => {
      this.#stop = {
        at: this.#end + inSamples(options.rules?.underWayMs ?? UNDER_WAY_MS),
        playedMs,
        completed: outcome === 'completed',
      };
    });
  }

  get needs(): number {
    return this.#match.needs;
  }

  update(arrived: ArrivedSound): void {
    this.#end = arrived.end;
    while (!this.over) {
      this.#match.update(arrived);
      if (!this.#begun && this.#match.state === 'following') this.#begin();
      if (this.#match.state === 'heard') this.#heard();
      else if (this.#match.state === 'lost') this.#lost();
      else break;
    }
    if (!this.over && this.#stop !== undefined && arrived.end >= this.#stop.at) this.close();
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    if (this.#begun) this.#tell('cut', this.#match.heardMs);
    else if (this.#shouldHaveCome()) this.#tell('missing', 0);
  }

  #begin(): void {
    this.#begun = true;
    const { name } = this.#wanted[this.#index] ?? {};
    if (name !== undefined) this.#options.onBegin(name);
  }

  #heard(): void {
    const { samples } = this.#wanted[this.#index] ?? EMPTY;
    if (this.#wanted.length > this.#index) this.#tell('whole', inMs(samples.length));
    this.#advance(this.#match.offset + samples.length);
  }

  #lost(): void {
    const { samples } = this.#wanted[this.#index] ?? EMPTY;
    const { playedMs = Infinity } = this.#stop ?? {};
    const stoppedMidway = playedMs < inMs(this.#before() + samples.length);
    if (this.#begun) this.#tell(stoppedMidway ? 'cut' : 'missing', this.#match.heardMs);
    else if (this.#stop === undefined || this.#shouldHaveCome()) this.#tell('missing', 0);
    this.#advance(this.#match.offset + samples.length);
  }

  #advance(from: number): void {
    this.#index += 1;
    this.#begun = false;
    if (this.#index >= this.#wanted.length) {
      this.over = true;
      return;
    }
    const margin = inSamples(this.#options.rules?.placeMs ?? PLACE_MS);
    this.#match = this.#matchAt(from, { before: margin, after: margin });
  }

  #matchAt(expected: number, tolerance: { readonly before: number; readonly after: number }): SoundMatch {
    const { samples } = this.#wanted[this.#index] ?? EMPTY;
    return new SoundMatch(samples, expected, { ...tolerance, ...this.#options.rules });
  }

  #before(): number {
    return this.#wanted.slice(0, this.#index).reduce((sum, { samples }) => sum + samples.length, 0);
  }

  /** The service says that it played (enough of) this sound, which nobody heard. */
  #shouldHaveCome(): boolean {
    if (this.#stop === undefined) return false;
    return this.#stop.completed || this.#stop.playedMs - inMs(this.#before()) >= SHORTEST_MS;
  }

  #tell(outcome: Hearing['outcome'], heardMs: number): void {
    const { name } = this.#wanted[this.#index] ?? {};
    if (name === undefined || (this.#options.optional && outcome === 'missing')) return;
    this.#options.onHeard({ ...name, outcome, heardMs: Math.round(heardMs) });
  }
}

const EMPTY: Wanted = { name: undefined, samples: new Int16Array() };

async function wantedOf(source: SoundSource, names: NamedSounds | SoundName): Promise<readonly Wanted[]> {
  switch (source.kind) {
    case 'file':
      return [
        {
          name: 'nameOf' in names ? names.nameOf(source.path) : names,
          samples: await loadSound(source.path, { sampleRate: SAMPLE_RATE }),
        },
      ];
    case 'silence':
      return [{ name: undefined, samples: new Int16Array(inSamples(source.durationMs)) }];
    case 'tone': {
      const samples = new Int16Array(inSamples(Math.min(source.durationMs, MAX_TONE_MS)));
      new ToneGenerator({ ...source, sampleRate: SAMPLE_RATE }).fill(samples);
      const isBeep = source.hertz.length === 1 && source.durationMs < SHORTEST_MS * 2;
      return [{ name: { how: isBeep ? 'beep' : 'tone', text: `${source.hertz.join('+')} Hz` }, samples }];
    }
    case 'digits':
      // They arrive as key events, which the phone tells by itself.
      return [];
    default:
      return source satisfies never;
  }
}

function inSamples(ms: number): number {
  return Math.round((ms * SAMPLE_RATE) / 1000);
}

function inMs(samples: number): number {
  return (samples * 1000) / SAMPLE_RATE;
}
