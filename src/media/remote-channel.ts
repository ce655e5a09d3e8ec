import { deferred, type Deferred } from '../base/deferred.ts';
import { MediaError } from './media-error.ts';
import type { Playback, Recording, RecordingResult } from './media-node.ts';
import type { NodeCommand, NodeReport } from './node-protocol.ts';
import type { PlaybackOutcome } from './playout.ts';

type WithoutRequest<C> = C extends { readonly request: number } ? Omit<C, 'request'> : never;
/** A command that is answered, before it has its number. */
export type AskedCommand = WithoutRequest<NodeCommand>;

/** What an owner waits for from its media process: answers, playbacks, recordings. */
export class RemoteChannel {
  readonly #send: (command: NodeCommand) => void;
  readonly #requests = new Map<number, Deferred<unknown>>();
  readonly #playbacks = new Map<number, Deferred<PlaybackOutcome>>();
  readonly #recordings = new Map<number, Deferred<RecordingResult>>();
  #number = 0;
  #lost: string | undefined;

  constructor(send: (command: NodeCommand) => void) {
    this.#send = send;
  }

  /** Why the other side is gone; undefined while it lives. */
  get lost(): string | undefined {
    return this.#lost;
  }

  newNumber(): number {
    this.#number += 1;
    return this.#number;
  }

  /** Rejects with the MediaError of the other side, or `lost`. */
  request(command: AskedCommand): Promise<unknown> {
    if (this.#lost !== undefined) return Promise.reject(new MediaError('lost', this.#lost));
    const request = this.newNumber();
    const answer = deferred<unknown>();
    this.#requests.set(request, answer);
    this.#send({ ...command, request });
    return answer.promise;
  }

  /** Sends a command that nothing waits for. */
  tell(command: NodeCommand): void {
    if (this.#lost === undefined) this.#send(command);
  }

  playback(command: (task: number) => NodeCommand): Playback {
    const task = this.newNumber();
    const outcome = deferred<PlaybackOutcome>();
    if (this.#lost === undefined) {
      this.#playbacks.set(task, outcome);
      this.#send(command(task));
    } else outcome.resolve({ outcome: 'failed', playedMs: 0, error: 'lost', message: this.#lost });
    return { done: outcome.promise, stop: () => this.tell({ kind: 'task', task, action: 'stop' }) };
  }

  recording(command: (task: number) => NodeCommand): Recording {
    const task = this.newNumber();
    const outcome = deferred<RecordingResult>();
    if (this.#lost === undefined) {
      this.#recordings.set(task, outcome);
      this.#send(command(task));
    } else outcome.resolve(lostRecording(this.#lost));
    const act = (action: 'stop' | 'pause' | 'resume') => (): void => this.tell({ kind: 'task', task, action });
    return { done: outcome.promise, stop: act('stop'), pause: act('pause'), resume: act('resume') };
  }

  /** Settles what the report is about. */
  take(report: Extract<NodeReport, { kind: 'reply' | 'refusal' | 'played' | 'recorded' }>): void {
    switch (report.kind) {
      case 'reply':
        return claim(this.#requests, report.request)?.resolve(report.value);
      case 'refusal':
        return claim(this.#requests, report.request)?.reject(new MediaError(report.code, report.message));
      case 'played':
        return claim(this.#playbacks, report.task)?.resolve(report.outcome);
      case 'recorded':
        return claim(this.#recordings, report.task)?.resolve(report.result);
      default:
        return report satisfies never;
    }
  }

  /** The other side is gone: everything that waits for it is settled with `lost`. */
  lose(message: string): void {
    this.#lost = message;
    for (const request of this.#requests.values()) request.reject(new MediaError('lost', message));
    for (const playback of this.#playbacks.values()) {
      playback.resolve({ outcome: 'failed', playedMs: 0, error: 'lost', message });
    }
    for (const recording of this.#recordings.values()) recording.resolve(lostRecording(message));
    this.#requests.clear();
    this.#playbacks.clear();
    this.#recordings.clear();
  }
}

function lostRecording(message: string): RecordingResult {
  return { endedBy: 'failed', durationMs: 0, channels: 1, error: 'lost', message };
}

function claim<T>(waiting: Map<number, Deferred<T>>, number: number): Deferred<T> | undefined {
  const found = waiting.get(number);
  waiting.delete(number);
  return found;
}
