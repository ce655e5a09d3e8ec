import { after, type Cancel, type Clock } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import { errorText } from '../../base/errors.ts';
import { TaskGroup } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { MediaLeg } from '../../media/media-node.ts';
import { FINAL_CALL_STATUSES, type Call, type CallStatus } from '../model.ts';
import type { TwimlRun } from '../executor-ports.ts';
import type { Party, PartyEnd } from '../party.ts';
import type { CallChanges, CallJournal } from './call-journal.ts';
import { MAX_BREADTH, MAX_HOPS } from './loop.ts';
import type { RunningCallRecording } from './recordings.ts';

export type FinalStatus = (typeof FINAL_CALL_STATUSES)[number];

export interface CallEnd {
  readonly status: FinalStatus;
  readonly sipStatus?: number | null;
  readonly reason?: string | null;
  /** When it ended; default now. */
  readonly at?: number;
}

/** A call runs at most this long unless its plan says less. */
export const MAX_CALL_SECONDS = 14_400;

export interface LiveCallOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How deep the call is in a chain of the place's own numbers. */
  readonly loopDepth?: number;
  /** Max-Forwards of the call; default MAX_HOPS. Below 0: it may not be dialled. */
  readonly hopsLeft?: number;
  /** Max-Breadth of the call; default MAX_BREADTH. */
  readonly breadthLeft?: number;
  /** Parameters of every request of this call beside the usual ones. */
  readonly extraParameters?: Readonly<Record<string, string>>;
  /** Looks on: the party is there. */
  readonly joined?: (party: Party) => void;
}

/** Each costs a file, and sound that is mixed while it runs. */
export const MAX_RECORDINGS_OF_CALL = 50;

/** One call while it is dialled or up: its journal, its party, its run. It ends exactly once. */
export class LiveCall {
  readonly journal: CallJournal;
  readonly loopDepth: number;
  readonly hopsLeft: number;
  readonly breadthLeft: number;
  readonly extraParameters: Readonly<Record<string, string>>;
  /** A Dial of its own waits for somebody to talk with it, or until they are done. */
  isDialling = false;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #cancelled = new AbortController();
  readonly #ended = deferred<Call>();
  readonly #onEnd = new Set<() => void>();
  readonly #joined: LiveCallOptions['joined'];
  readonly #work: TaskGroup;
  readonly #recordings: RunningCallRecording[] = [];
  #recordingsAdmitted = 0;
  #party: Party | undefined;
  #run: TwimlRun | undefined;
  #answeredAt: number | undefined;
  #finishing = false;
  #limit: Cancel | undefined;

  constructor(journal: CallJournal, options: LiveCallOptions) {
    this.journal = journal;
    this.#clock = options.clock;
    this.#log = options.log;
    this.loopDepth = options.loopDepth ?? 0;
    this.hopsLeft = options.hopsLeft ?? MAX_HOPS;
    // Set already in the row of a call of the last run, which is opened to be ended.
    this.#answeredAt = journal.call.startTime ?? undefined;
    this.breadthLeft = options.breadthLeft ?? MAX_BREADTH;
    this.extraParameters = options.extraParameters ?? {};
    this.#joined = options.joined;
    this.#work = new TaskGroup((error) => {
      options.log.error({ callSid: this.call.sid, error: errorText(error) }, 'work of a call failed');
    });
  }

  get call(): Call {
    return this.journal.call;
  }

  get party(): Party | undefined {
    return this.#party;
  }

  get media(): MediaLeg | undefined {
    return this.#party?.media;
  }

  /** The document that runs now. */
  get run(): TwimlRun | undefined {
    return this.#run;
  }

  /** Aborts when the call is to end while it is still being dialled. */
  get signal(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** Resolves with the final row, once it was written. */
  get ended(): Promise<Call> {
    return this.#ended.promise;
  }

  /** Resolves after `ended`, when nothing of the call goes on: its BYE, the last requests of its documents. */
  async settled(): Promise<void> {
    await this.#ended.promise;
    await this.#work.settled();
  }

  get isOver(): boolean {
    return this.#finishing;
  }

  /** Recordings that the API or the call's own plan started, newest last. */
  get recordings(): readonly RunningCallRecording[] {
    return this.#recordings;
  }

  /** Whether one more recording may be started. */
  admitRecording(): boolean {
    if (this.#recordingsAdmitted >= MAX_RECORDINGS_OF_CALL) return false;
    this.#recordingsAdmitted += 1;
    return true;
  }

  /** The recording ends with the call and is told with its last event. */
  addRecording(recording: RunningCallRecording): void {
    this.#recordings.push(recording);
  }

  /** Work to do when the call ends (child calls, recordings); at once when it has ended. The result takes it back. */
  onEnd(work: () => void): () => void {
    if (this.#finishing) {
      work();
      return () => undefined;
    }
    const entry = (): void => work();
    this.#onEnd.add(entry);
    return () => void this.#onEnd.delete(entry);
  }

  /** Work that belongs to the call and may outlive it for a moment; awaited by `settled`. */
  background(work: () => Promise<void>): void {
    this.#work.run(work);
  }

  /**
   * The party is there (ringing in, or answered out); its leaving ends the call. False when the call was over already:
   * then the party is sent away.
   */
  async adopt(party: Party): Promise<boolean> {
    if (this.#finishing) {
      this.#work.run(() => party.hangup());
      this.#work.run(async () => void (await party.media.close()));
      return false;
    }
    this.#party = party;
    this.#joined?.(party);
    const up = party.answered ? this.answered() : undefined;
    party.onEnded((end) => void this.finish(endOfParty(end, this.#answeredAt !== undefined)));
    await up;
    return !this.#finishing;
  }

  ringing(): void {
    if (this.call.status !== 'queued') return;
    void this.journal.change({ status: 'ringing' });
    this.journal.tell('ringing');
  }

  /** The call is up: time counts from here. */
  async answered(): Promise<void> {
    if (this.#answeredAt !== undefined || this.#finishing) return;
    const now = this.#clock.now();
    this.#answeredAt = now;
    const written = this.journal.change({ status: 'in-progress', stage: 'live', startTime: now });
    this.journal.tell('answered');
    this.limit(this.call.plan.timeLimitSeconds ?? MAX_CALL_SECONDS);
    await written;
  }

  /** Ends the call `seconds` after its answer. */
  limit(seconds: number): void {
    if (this.#answeredAt === undefined) return;
    this.#limit?.();
    const leftMs = Math.max(0, this.#answeredAt + seconds * 1000 - this.#clock.now());
    this.#limit = after(this.#clock, leftMs, () => void this.finish({ status: 'completed', reason: 'time limit' }));
  }

  /** The run stops with the call; its last requests are waited for. */
  attach(run: TwimlRun): void {
    this.#run = run;
    this.#work.run(async () => {
      await run.end;
      if (this.#run === run) this.#run = undefined;
      await run.settled;
    });
    if (this.#finishing) run.stop();
  }

  /** Calls.update Status=completed or canceled, drain: ends the call whatever it does. */
  async terminate(status: FinalStatus, reason: string | null = null): Promise<void> {
    await this.finish({
      status: this.#answeredAt === undefined && status === 'completed' ? 'canceled' : status,
      reason,
    });
  }

  /**
   * Hangs up, closes what belongs to the call, writes the final row, tells the application. The first end counts;
   * never rejects.
   */
  finish(end: CallEnd): Promise<Call> {
    if (!this.#finishing) {
      this.#finishing = true;
      this.#work.run(() => this.#finish(end));
    }
    return this.#ended.promise;
  }

  async #finish(end: CallEnd): Promise<void> {
    try {
      const endedAt = end.at ?? this.#clock.now();
      this.#limit?.();
      this.#cancelled.abort(new Error('the call ended'));
      this.#run?.stop();
      this.#runEndWork();
      const written = this.journal.change(finalRow(end, this.#answeredAt, endedAt));
      // A phone that is gone does not answer its BYE for half a minute: nobody waits for it here.
      this.#work.run(() => this.#hangUp(end));
      await this.#finishRecordings();
      await this.#party?.media.close();
      await written;
    } catch (error) {
      this.#log.error({ callSid: this.call.sid, error: errorText(error) }, 'the end of a call was not clean');
    }
    this.journal.tell('completed');
    await this.journal.settled();
    this.#ended.resolve(this.call);
  }

  #runEndWork(): void {
    for (const work of this.#onEnd) {
      try {
        work();
      } catch (error) {
        this.#log.error({ callSid: this.call.sid, error: errorText(error) }, 'work at the end of a call failed');
      }
    }
    this.#onEnd.clear();
  }

  async #hangUp({ sipStatus, reason }: CallEnd): Promise<void> {
    const refusal =
      sipStatus !== undefined && sipStatus !== null && sipStatus >= 400
        ? { sipStatus, reason: reason ?? null }
        : undefined;
    await this.#party?.hangup(refusal);
  }

  async #finishRecordings(): Promise<void> {
    for (const running of this.#recordings) {
      const { recording } = await running.finish();
      if (recording.status !== 'completed') continue;
      const { url, sid } = running;
      this.journal.recorded({ url, sid, durationSeconds: recording.duration ?? 0 });
    }
  }
}

function finalRow(end: CallEnd, answeredAt: number | undefined, endedAt: number): CallChanges {
  return {
    status: end.status,
    stage: 'ended',
    endTime: endedAt,
    duration: answeredAt === undefined ? 0 : Math.round((endedAt - answeredAt) / 1000),
    // An answer is a 200, however the call ended after it.
    sipResponseCode: end.sipStatus ?? (answeredAt === undefined ? null : 200),
    endReason: end.reason ?? null,
  };
}

function endOfParty(end: PartyEnd, answered: boolean): CallEnd {
  const { sipStatus, reason } = end;
  if (answered) return { status: 'completed', sipStatus: 200, reason };
  switch (end.by) {
    case 'local':
      return { status: statusOfRefusal(sipStatus), sipStatus, reason };
    case 'failure':
      return { status: 'failed', sipStatus, reason };
    case 'remote':
      return { status: 'no-answer', sipStatus, reason };
  }
}

function statusOfRefusal(sipStatus: number | null): FinalStatus {
  if (sipStatus === 486 || sipStatus === 603) return 'busy';
  return sipStatus === 480 ? 'no-answer' : 'failed';
}

export function isFinal(status: CallStatus): status is FinalStatus {
  return (FINAL_CALL_STATUSES as readonly CallStatus[]).includes(status);
}
