import { deferred, type Deferred } from '../base/deferred.ts';
import { DigitSender, digitsFault, type DigitFrame, type DigitMode } from './digit-sender.ts';
import type { Playback } from './media-node.ts';
import type { PlaybackOutcome } from './playout.ts';
import { SAMPLE_RATE } from './sound-format.ts';

/** Strings that wait for one leg; a peer that presses keys faster than they can be sent on must not fill the memory. */
export const MAX_WAITING_STRINGS = 100;

interface Job {
  readonly digits: string;
  readonly outcome: Deferred<PlaybackOutcome>;
  sender: DigitSender | undefined;
}

const FULL: PlaybackOutcome = {
  outcome: 'failed',
  playedMs: 0,
  error: 'overloaded',
  message: `${MAX_WAITING_STRINGS} strings of digits wait to be sent: no more is taken`,
};

/** Strings of digits that wait for one leg, sent in order; each has an outcome of its own. */
export class DigitQueue {
  #jobs: Job[] = [];

  get idle(): boolean {
    return this.#jobs.length === 0;
  }

  add(digits: string): Playback {
    const outcome = deferred<PlaybackOutcome>();
    const job: Job = { digits, outcome, sender: undefined };
    const fault = digitsFault(digits);
    if (fault !== undefined) outcome.resolve({ outcome: 'failed', playedMs: 0, error: 'bad-audio', message: fault });
    else if (digits === '') outcome.resolve({ outcome: 'completed', playedMs: 0 });
    else if (this.#jobs.length >= MAX_WAITING_STRINGS) outcome.resolve(FULL);
    else this.#jobs.push(job);
    return { done: outcome.promise, stop: () => this.#stop(job) };
  }

  /** What this tick sends; undefined when no digits wait. The mode of a string is that of its first key. */
  next(mode: DigitMode): DigitFrame | undefined {
    const job = this.#jobs[0];
    if (job === undefined) return undefined;
    job.sender ??= new DigitSender({ digits: job.digits, mode, sampleRate: SAMPLE_RATE });
    return job.sender.next();
  }

  /** Call it after the frame of `next` has left. */
  afterSend(): void {
    const job = this.#jobs[0];
    if (job?.sender?.finished !== true) return;
    this.#jobs.shift();
    job.outcome.resolve({ outcome: 'completed', playedMs: job.sender.playedMs });
  }

  stopAll(): void {
    for (const job of [...this.#jobs]) this.#stop(job);
  }

  #stop(job: Job): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    job.outcome.resolve({ outcome: 'stopped', playedMs: job.sender?.playedMs ?? 0 });
  }
}
