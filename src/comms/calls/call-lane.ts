import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { parseSid, type AccountSid, type CallSid } from '../../base/sid.ts';
import { LaneError } from '../../lane/lane-error.ts';
import { LaneQueue } from '../../lane/queue.ts';
import { LaneRunner } from '../../lane/runner.ts';
import type { LaneJob } from '../../lane/claim.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Store, WriteStatement } from '../../store/store.ts';
import { CommsError } from '../comms-error.ts';
import type { Call } from '../model.ts';
import type { Records } from '../records/records.ts';
import { refusalOf, writeRecords } from '../records/write-records.ts';
import type { CallChanges } from './call-journal.ts';
import type { CallStore } from './environment.ts';

const LEDGER_KIND = 'call';

export interface CallLaneOptions {
  readonly store: Store;
  readonly records: Records;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Calls per second of an account. */
  readonly callsPerSecond: number;
  /** From numbers with a lane of their own, and its rate. */
  readonly callsPerSecondFrom: Readonly<Record<string, number>>;
  /** Told of each call that found the lane full. */
  readonly onFull?: () => void;
}

/** What becomes of the calls that leave the lane. */
export interface CallLaneHandlers {
  start(call: Call): void;
  interrupted(call: Call): Promise<void>;
  expired(call: Call): Promise<void>;
}

/** The calls on disk: their rows, the lane in which those of the API wait, the ledger entry at their end. */
export class CallLane implements CallStore {
  readonly #options: CallLaneOptions;
  readonly #queue: LaneQueue;
  /** Keys whose own rate is on disk: it is set once in a run, since rates do not change while the program runs. */
  readonly #rated = new Set<string>();
  #runner: LaneRunner | undefined;

  constructor(options: CallLaneOptions) {
    const { store, clock, callsPerSecond } = options;
    this.#options = options;
    this.#queue = new LaneQueue({ store, clock, lane: 'call', defaultRatePerSecond: callsPerSecond });
  }

  /** Tells what a crash interrupted, then lets calls out. */
  async start(handlers: CallLaneHandlers): Promise<void> {
    const { clock, random, log, records } = this.#options;
    this.#runner = new LaneRunner({
      queue: this.#queue,
      clock,
      random,
      logger: log,
      // On disk before the INVITE can leave: after a crash the call is closed, never dialled again.
      takenStatements: (job) => [
        records.calls.updateStatement(
          job.id as CallSid,
          { stage: 'dialling', queueTime: Math.max(0, clock.now() - job.enqueuedAt) },
          { expectStage: 'queued' },
        ),
      ],
      handle: (job) => this.#with(job, async (call) => handlers.start(call)),
      interrupted: (job) =>
        this.#with(job, async (call) => (call.stage === 'dialling' ? handlers.interrupted(call) : undefined)),
      dropped: (job) => this.#with(job, async (call) => (call.stage === 'queued' ? handlers.expired(call) : undefined)),
    });
    await this.#runner.start();
  }

  async stop(): Promise<void> {
    await this.#runner?.stop();
  }

  /** How many calls wait, of all accounts and numbers. */
  waiting(): Promise<number> {
    return this.#queue.waiting();
  }

  async insert(call: Call): Promise<void> {
    await this.#options.records.calls.insert(call);
  }

  async enqueue(call: Call): Promise<void> {
    const job = { id: call.sid, key: await this.#keyOf(call), payload: '' };
    try {
      await this.#queue.enqueue(job, [this.#options.records.calls.insertStatement(call)]);
    } catch (error) {
      if (error instanceof LaneError) {
        this.#options.onFull?.();
        throw queueFull(call, error);
      }
      throw refusalOf(error);
    }
  }

  async cancelQueued(call: Call, changes: CallChanges): Promise<boolean> {
    const { calls } = this.#options.records;
    return this.#queue.cancel(call.sid, [calls.updateStatement(call.sid, changes, { expectStage: 'queued' })]);
  }

  async update(sid: CallSid, changes: CallChanges): Promise<void> {
    const { records, store } = this.#options;
    const update = records.calls.updateStatement(sid, changes);
    const charge = changes.stage === 'ended' ? await this.#charge(sid, changes) : [];
    await writeRecords(store, [update, ...charge]);
  }

  find(accountSid: AccountSid, sid: CallSid): Promise<Call | undefined> {
    return this.#options.records.calls.find(accountSid, sid);
  }

  unfinished(): Promise<readonly Call[]> {
    return this.#options.records.calls.unfinished();
  }

  endsUntold(): Promise<readonly Call[]> {
    return this.#options.records.calls.endsUntold();
  }

  endTold(sid: CallSid): Promise<void> {
    return this.#options.records.calls.endTold(sid);
  }

  /** One entry a call, whatever its legs: the account pays for what it asked for once. */
  async #charge(sid: CallSid, changes: CallChanges): Promise<readonly WriteStatement[]> {
    const { records, ledger, clock } = this.#options;
    if ((await ledger.entry(LEDGER_KIND, sid)) !== undefined) return [];
    const call = await records.calls.findBySid(sid);
    if (call === undefined) return [];
    return ledger.append({
      traceId: call.parentCallSid ?? call.sid,
      account: call.accountSid,
      kind: LEDGER_KIND,
      subject: sid,
      quantity: changes.duration ?? 0,
      unit: 'second',
      priceMicros: 0,
      time: clock.now(),
    });
  }

  async #keyOf(call: Call): Promise<string> {
    const rate = this.#options.callsPerSecondFrom[call.from];
    if (rate === undefined) return call.accountSid;
    const key = `${call.accountSid} ${call.from}`;
    if (!this.#rated.has(key)) {
      await this.#queue.setRate(key, rate);
      this.#rated.add(key);
    }
    return key;
  }

  async #with(job: LaneJob, work: (call: Call) => Promise<void>): Promise<void> {
    const sid = parseSid('CA', job.id);
    const call = sid === undefined ? undefined : await this.#options.records.calls.findBySid(sid);
    if (call !== undefined) await work(call);
  }
}

function queueFull(call: Call, error: LaneError): CommsError {
  return new CommsError('overloaded', `${call.from}: ${error.message}`, {
    faultCode: 20_429,
    httpStatus: 429,
    cause: error,
  });
}
