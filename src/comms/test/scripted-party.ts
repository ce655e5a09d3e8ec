import { after } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import type { VirtualClock } from '../../base/virtual-clock.ts';
import type { LegEvent, MediaLeg, Playback, SoundSource } from '../../media/media-node.ts';
import type { Party, PartyEnd } from '../party.ts';

/** How long a played file lasts. */
export const FILE_MS = 2000;

/**
 * A party without a network: what is played to it takes its time on the virtual clock and is written into `log`, as
 * `1500 play hello.wav`.
 */
export class ScriptedParty implements Party {
  readonly log: string[] = [];
  readonly media: MediaLeg;
  answered: boolean;
  ended: PartyEnd | undefined;
  /** Files that cannot be played. */
  readonly broken = new Set<string>();
  /** Files that last otherwise than FILE_MS. */
  readonly lasting = new Map<string, number>();
  readonly #clock: VirtualClock;
  readonly #startMs: number;
  readonly #onEnded: ((end: PartyEnd) => void)[] = [];
  readonly #handlers = new Set<(event: LegEvent) => void>();
  #playing: Playback | undefined;

  constructor(clock: VirtualClock, options: { readonly answered: boolean }) {
    this.#clock = clock;
    this.#startMs = clock.now();
    this.answered = options.answered;
    const leg: Partial<MediaLeg> = {
      id: 'leg',
      play: (sources) => this.#play(sources),
      sendDigits: (digits) => this.#play([{ kind: 'digits', digits }]),
      onEvent: (handler) => {
        this.#handlers.add(handler);
        return () => void this.#handlers.delete(handler);
      },
    };
    // The executor uses no more of a leg than this.
    this.media = leg as MediaLeg;
  }

  note(what: string): void {
    this.log.push(`${Math.round(this.#clock.now() - this.#startMs)} ${what}`);
  }

  answer(): Promise<void> {
    this.answered = true;
    this.note('answer');
    return Promise.resolve();
  }

  ringing(): void {
    this.note('ringing');
  }

  earlyMedia(): void {
    this.note('early media');
  }

  onTransfer(): void {
    // Nobody transfers in these scripts.
  }

  reject(reason: 'rejected' | 'busy' | 'not-found' | 'unavailable'): void {
    this.note(`reject ${reason}`);
    this.#end({ by: 'local', sipStatus: 603, reason });
  }

  hangup(): Promise<void> {
    this.#end({ by: 'local', sipStatus: null, reason: null });
    return Promise.resolve();
  }

  onEnded(handler: (end: PartyEnd) => void): void {
    if (this.ended === undefined) this.#onEnded.push(handler);
    else handler(this.ended);
  }

  /** The person presses the key `atMs` after the start. */
  press(keys: string, atMs: number): void {
    for (const digit of keys) {
      this.at(atMs, () => this.emit({ kind: 'digit', digit, durationMs: 100, via: 'rtp' }));
    }
  }

  /** The person hangs up `atMs` after the start. */
  leave(atMs: number): void {
    this.at(atMs, () => this.#end({ by: 'remote', sipStatus: 200, reason: null }));
  }

  at(atMs: number, fn: () => void): void {
    this.#clock.at(this.#startMs + atMs, fn);
  }

  get listeners(): number {
    return this.#handlers.size;
  }

  emit(event: LegEvent): void {
    for (const handler of this.#handlers) handler(event);
  }

  #end(end: PartyEnd): void {
    if (this.ended !== undefined) return;
    this.ended = end;
    this.note('ended');
    this.#playing?.stop();
    for (const handler of this.#onEnded) handler(end);
  }

  #play(sources: readonly SoundSource[]): Playback {
    this.#playing?.stop();
    this.note(`play ${sources.map(nameOf).join(' + ')}`);
    const startMs = this.#clock.now();
    const done = deferred<Awaited<Playback['done']>>();
    const failing = sources.find((source) => source.kind === 'file' && this.broken.has(source.path));
    if (failing !== undefined) {
      done.resolve({ outcome: 'failed', playedMs: 0, error: 'bad-audio', message: 'neither WAV nor MP3' });
    }
    const totalMs = sources.reduce((sum, source) => sum + this.#durationOf(source), 0);
    const cancel = after(this.#clock, totalMs, () => done.resolve({ outcome: 'completed', playedMs: totalMs }));
    let over = false;
    void done.promise.then(() => (over = true));
    const playback: Playback = {
      done: done.promise,
      stop: () => {
        if (over) return;
        over = true;
        cancel();
        this.note('stop');
        done.resolve({ outcome: 'stopped', playedMs: this.#clock.now() - startMs });
      },
    };
    this.#playing = playback;
    return playback;
  }

  #durationOf(source: SoundSource): number {
    switch (source.kind) {
      case 'file':
        return this.lasting.get(source.path) ?? FILE_MS;
      case 'digits':
        return source.digits.length * 200;
      default:
        return source.durationMs;
    }
  }
}

function nameOf(source: SoundSource): string {
  switch (source.kind) {
    case 'file':
      return source.path;
    case 'silence':
      return `silence ${source.durationMs}`;
    case 'tone':
      return `tone ${source.hertz.join('+')}`;
    case 'digits':
      return `digits ${source.digits}`;
  }
}
