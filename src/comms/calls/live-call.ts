import { after, type Cancel, type Clock } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import type { MediaLeg } from '../../media/media-node.ts';
import { FINAL_CALL_STATUSES, type Call, type CallStatus } from '../model.ts';
import type { TwimlRun } from '../executor-ports.ts';
import type { Party, PartyEnd } from '../party.ts';
import type { CallJournal } from './call-journal.ts';
import type { RunningCallRecording } from './recordings.ts';

export type FinalStatus = (typeof FINAL_CALL_STATUSES)[number];

export interface CallEnd {
  readonly status: FinalStatus;
  readonly sipStatus?: number | null;
  readonly reason?: string | null;
}

/** A call runs at most this long unless its plan says less. */
export const MAX_CALL_SECONDS = 14_400;

export interface CallOrigin {
  readonly loopDepth?: number;
  readonly extraParameters?: Readonly<Record<string, string>>;
}

/** One call while it is dialled or up: its journal, its party, its run. It ends exactly once. */
export class LiveCall {
  readonly journal: CallJournal;
  readonly #clock: Clock;
  readonly #cancelled = new AbortController();
  readonly #ended = deferred<Call>();
  readonly #onEnd: (() => void)[] = [];
  #party: Party | undefined;
  #run: TwimlRun | undefined;
  #answeredAt: number | undefined;
  #finishing = false;
  #completeRequested = false;
  #limit: Cancel | undefined;
  readonly #recordings: RunningCallRecording[] = [];

  /** How deep the call is in a chain of the place's own numbers. */
  readonly loopDepth: number;
  /** Parameters of every request of this call beside the usual ones. */
  readonly extraParameters: Readonly<Record<string, string>>;

  constructor(journal: CallJournal, clock: Clock, origin: CallOrigin = {}) {
    this.journal = journal;
    this.#clock = clock;
    this.loopDepth = origin.loopDepth ?? 0;
    this.extraParameters = origin.extraParameters ?? {};
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

  get isOver(): boolean {
    return this.#finishing;
  }

  /** Recordings that the API or the call's own plan started, newest last. */
  get recordings(): readonly RunningCallRecording[] {
    return this.#recordings;
  }

  /** The recording ends with the call and is told with its last event. */
  addRecording(recording: RunningCallRecording): void {
    this.#recordings.push(recording);
  }

  /** Work to do when the call ends (child calls, recordings); at once when it has ended. */
  onEnd(work: () => void): void {
    if (this.#finishing) work();
    else this.#onEnd.push(work);
  }

  /** The party is there (ringing in, or answered out); its leaving ends the call. */
  adopt(party: Party): void {
    this.#party = party;
    party.onEnded((end) => void this.finish(endOfParty(end, this.#answeredAt !== undefined)));
  }

  async ringing(): Promise<void> {
    if (this.call.status !== 'queued') return;
    const written = this.journal.change({ status: 'ringing' });
    this.journal.tell('ringing');
    await written;
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

  attach(run: TwimlRun): void {
    this.#run = run;
    if (this.#completeRequested) run.stop();
  }

  /** Calls.update Status=completed or canceled, drain: ends the call whatever it does. */
  async terminate(status: FinalStatus, reason: string | null = null): Promise<void> {
    this.#completeRequested = true;
    await this.finish({
      status: this.#answeredAt === undefined && status === 'completed' ? 'canceled' : status,
      reason,
    });
  }

  /** Hangs up, closes what belongs to the call, writes the final row, tells the application. */
  async finish(end: CallEnd): Promise<Call> {
    if (this.#finishing) return this.ended;
    this.#finishing = true;
    this.#limit?.();
    this.#cancelled.abort(new Error('the call ended'));
    this.#run?.stop();
    const now = this.#clock.now();
    for (const work of this.#onEnd.splice(0)) work();
    const startTime = this.#answeredAt ?? null;
    const duration = startTime === null ? 0 : Math.round((now - startTime) / 1000);
    const written = this.journal.change({
      status: end.status,
      stage: 'ended',
      endTime: now,
      duration,
      sipResponseCode: end.sipStatus ?? null,
      endReason: end.reason ?? null,
    });
    await Promise.allSettled([this.#party?.hangup(), this.#finishRecordings()]);
    await this.#party?.media.close().catch(() => undefined);
    await written;
    this.journal.tell('completed');
    this.#ended.resolve(this.call);
    return this.call;
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

function endOfParty(end: PartyEnd, answered: boolean): CallEnd {
  if (answered) return { status: 'completed', sipStatus: 200, reason: end.reason };
  if (end.by === 'local')
    return { status: statusOfRefusal(end.sipStatus), sipStatus: end.sipStatus, reason: end.reason };
  return { status: 'no-answer', sipStatus: end.sipStatus, reason: end.reason };
}

function statusOfRefusal(sipStatus: number | null): FinalStatus {
  if (sipStatus === 486 || sipStatus === 603) return 'busy';
  return sipStatus === 480 ? 'no-answer' : 'failed';
}

export function isFinal(status: CallStatus): status is FinalStatus {
  return (FINAL_CALL_STATUSES as readonly CallStatus[]).includes(status);
}
