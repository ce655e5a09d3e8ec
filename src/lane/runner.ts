import { sql } from 'kysely';
import { sleep, type Cancel, type Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { TaskGroup } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { randomHex, type Random } from '../base/random.ts';
import { prepared, queryBuilder, statement } from '../store/query-builder.ts';
import { StoreError } from '../store/store-error.ts';
import type { WriteStatement } from '../store/store.ts';
import { claimDue, laneJob, type JobRow, type LaneJob } from './claim.ts';
import { leavingStatements, type LaneQueue } from './queue.ts';
import type { JobState, LaneTables } from './queue-tables.ts';

/** Keys that one claim serves. */
export const CLAIM_BATCH = 200;
// After the store failed (a full disk), and where other processes may enqueue, the lane is looked at this often.
const RETRY_MS = 1_000;
const US_PER_MS = 1_000;
const TOKEN_BYTES = 12;

export interface LaneRunnerOptions {
  readonly queue: LaneQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Names this worker among those of the same store, and stays the same over restarts. */
  readonly owner?: string;
  readonly batch?: number;
  /** Goes into the write that makes the job `taken`: whatever must be on disk before `handle` acts (`dialling`). */
  readonly takenStatements: (job: LaneJob) => readonly WriteStatement[];
  /** Acts. Called once for a job, never again after a crash. The job is forgotten when it settles. */
  readonly handle: (job: LaneJob) => Promise<void>;
  /** The process ended while `handle` may have acted. Told at start; told again if the process ends meanwhile. */
  readonly interrupted: (job: LaneJob) => Promise<void>;
  /**
   * The job will not be handled: it waited too long (`expired`), or `takenStatements` were refused (`refused`, as when
   * its row was cancelled at the same moment). May be told again after a crash.
   */
  readonly dropped: (job: LaneJob, reason: 'expired' | 'refused') => Promise<void>;
}

/** Lets the jobs of one lane out, each key at its own rate. */
export class LaneRunner {
  readonly #options: LaneRunnerOptions;
  readonly #owner: string;
  readonly #batch: number;
  readonly #qb;
  readonly #statements;
  readonly #tasks: TaskGroup;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #listening: { stop(): void } | undefined;
  #wake: (() => void) | undefined;
  #changed = false;
  /** A claim that failed for the caller; it may have been written all the same. */
  #lostClaim: string | undefined;

  constructor(options: LaneRunnerOptions) {
    this.#options = options;
    this.#owner = options.owner ?? 'main';
    this.#batch = options.batch ?? CLAIM_BATCH;
    this.#qb = queryBuilder<LaneTables>(options.queue.store);
    this.#statements = this.#prepare();
    this.#tasks = new TaskGroup((error) => {
      options.logger.error({ lane: options.queue.name, reason: errorText(error) }, 'lane: a job failed');
    });
  }

  /** Tells what a crash interrupted, then begins. Safe to call twice. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    await this.#recover();
    this.#listening = this.#options.queue.onChange(() => this.#notice());
    this.#running = this.#run();
  }

  /** Lets no further job out and resolves when every handler has settled. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the lane is stopping'));
    this.#listening?.stop();
    this.#wake?.();
    await this.#running;
    await this.#tasks.settled();
  }

  async #recover(): Promise<void> {
    const { queue } = this.#options;
    const requeue = sql`
      update lane_key set
        pending = pending + (select count(*) from lane_job j
          where j.lane = lane_key.lane and j.key = lane_key.key and j.state = 'claimed' and j.owner = ${this.#owner}),
        pending_cost = pending_cost + (select cast(coalesce(sum(j.cost), 0) as bigint) from lane_job j
          where j.lane = lane_key.lane and j.key = lane_key.key and j.state = 'claimed' and j.owner = ${this.#owner})
      where lane = ${queue.name}`;
    const again = sql`
      update lane_job set state = 'queued', owner = null, claim = null
      where lane = ${queue.name} and state = 'claimed' and owner = ${this.#owner}`;
    await queue.store.write([requeue, again].map((one) => statement(one.compile(this.#qb))));
    for (const job of await this.#jobsIn('taken')) await this.#tell(job, () => this.#options.interrupted(job));
    for (const job of await this.#jobsIn('expired')) await this.#tell(job, () => this.#options.dropped(job, 'expired'));
  }

  async #jobsIn(state: JobState): Promise<readonly LaneJob[]> {
    const { queue } = this.#options;
    let query = this.#qb.selectFrom('lane_job').selectAll().where('lane', '=', queue.name).where('state', '=', state);
    if (state === 'taken') query = query.where('owner', '=', this.#owner);
    return (await queue.store.read(query.orderBy('seq').compile())).map(laneJob);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#changed = false;
      let wakeAtMs: number | undefined;
      try {
        await this.#expire();
        const jobs = await this.#claim();
        for (const job of jobs) this.#tasks.run(() => this.#serve(job));
        if (jobs.length === this.#batch) continue;
        wakeAtMs = await this.#nextTime();
      } catch (error) {
        this.#options.logger.error({ lane: this.#options.queue.name, reason: errorText(error) }, 'lane: no claim');
        wakeAtMs = this.#options.clock.now() + RETRY_MS;
      }
      await this.#pauseUntil(wakeAtMs);
    }
  }

  #prepare() {
    const { name } = this.#options.queue;
    return {
      take: prepared(
        ({ id }: { id: string }) =>
          this.#qb
            .updateTable('lane_job')
            .set({ state: 'taken', claim: null })
            .where('lane', '=', name)
            .where('id', '=', id)
            .where('state', '=', 'claimed'),
        { expectedRows: 1 },
      ),
      claimed: prepared(({ claim }: { claim: string }) =>
        this.#qb
          .selectFrom('lane_job')
          .selectAll()
          .where('lane', '=', name)
          .where('state', '=', 'claimed')
          .where('claim', '=', claim)
          .orderBy('seq'),
      ),
      forget: prepared(({ id }: { id: string }) =>
        this.#qb.deleteFrom('lane_job').where('lane', '=', name).where('id', '=', id),
      ),
      overdue: prepared(({ before }: { before: number }) =>
        this.#qb
          .selectFrom('lane_job')
          .selectAll()
          .where('lane', '=', name)
          .where('state', '=', 'queued')
          .where('enqueued_at', '<=', before)
          .orderBy('enqueued_at')
          .limit(this.#batch),
      ),
      next: prepared(() =>
        sql`
          select (select min(next_at_us) from lane_key where lane = ${name} and pending > 0) as due_us,
            (select min(enqueued_at) from lane_job where lane = ${name} and state = 'queued') as oldest`.compile(
          this.#qb,
        ),
      ),
    };
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #claim(): Promise<readonly LaneJob[]> {
    const { queue, clock, random } = this.#options;
    if (this.#lostClaim !== undefined) {
      const claimed = await queue.store.read<JobRow>(this.#statements.claimed({ claim: this.#lostClaim }));
      this.#lostClaim = undefined;
      if (claimed.length > 0) return claimed.map(laneJob);
    }
    const token = randomHex(random, TOKEN_BYTES);
    try {
      return await claimDue({
        store: queue.store,
        lane: queue.name,
        owner: this.#owner,
        token,
        nowUs: Math.floor(clock.now() * US_PER_MS),
        batch: this.#batch,
      });
    } catch (error) {
      this.#lostClaim = token;
      throw error;
    }
  }

  async #serve(job: LaneJob): Promise<void> {
    if (!(await this.#take(job))) return;
    await this.#tell(job, () => this.#options.handle(job));
  }

  /** False when the job must not be handled. A store that cannot write now is asked again. */
  async #take(job: LaneJob): Promise<boolean> {
    const { queue, clock, logger, takenStatements } = this.#options;
    const taken = this.#statements.take({ id: job.id });
    for (let attempt = 1; ; attempt += 1) {
      try {
        await queue.store.write([taken, ...takenStatements(job)]);
        return true;
      } catch (error) {
        if (isRefusal(error)) {
          // Nobody else takes what this worker has claimed: an earlier attempt was written, and its answer was lost.
          if (attempt > 1 && (await this.#isTaken(job))) return true;
          logger.warn(
            { lane: queue.name, job: job.id, reason: errorText(error) },
            'lane: a job was refused at its turn',
          );
          await this.#tell(job, () => this.#options.dropped(job, 'refused'));
          return false;
        }
        logger.error({ lane: queue.name, job: job.id, reason: errorText(error) }, 'lane: a job waits for the store');
      }
      try {
        await sleep(clock, RETRY_MS, this.#stopping.signal);
      } catch {
        // Nothing of it has left: the next start puts it back into the queue.
        return false;
      }
    }
  }

  async #isTaken(job: LaneJob): Promise<boolean> {
    return (await this.#jobsIn('taken')).some(({ id }) => id === job.id);
  }

  /** Lets the owner act on the job, then forgets it. */
  async #tell(job: LaneJob, act: () => Promise<void>): Promise<void> {
    const { queue, logger } = this.#options;
    try {
      await act();
    } catch (error) {
      logger.error({ lane: queue.name, job: job.id, reason: errorText(error) }, 'lane: a handler failed');
    }
    await queue.store.write([this.#statements.forget({ id: job.id })]);
  }

  async #expire(): Promise<void> {
    const { queue, clock } = this.#options;
    const overdue = this.#statements.overdue({ before: Math.floor(clock.now() - queue.maxWaitMs) });
    for (const row of await queue.store.read<JobRow>(overdue)) {
      const job = laneJob(row);
      const leave = leavingStatements({ store: queue.store, lane: queue.name, id: job.id, next: 'expired' });
      try {
        await queue.store.write(leave);
      } catch (error) {
        // It was cancelled, or claimed by another worker, in this moment.
        if (isRefusal(error)) continue;
        throw error;
      }
      this.#tasks.run(() => this.#tell(job, () => this.#options.dropped(job, 'expired')));
    }
  }

  /** When a key falls due or a job expires next; undefined when nothing waits. */
  async #nextTime(): Promise<number | undefined> {
    const { queue, clock } = this.#options;
    const [row] = await queue.store.read<{ due_us: number | null; oldest: number | null }>(this.#statements.next({}));
    const times: number[] = [];
    if (typeof row?.due_us === 'number') times.push(row.due_us / US_PER_MS);
    if (typeof row?.oldest === 'number') times.push(row.oldest + queue.maxWaitMs);
    // Other processes may enqueue on PostgreSQL.
    if (queue.store.dialect === 'postgresql') times.push(clock.now() + RETRY_MS);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #notice(): void {
    this.#changed = true;
    this.#wake?.();
  }

  async #pauseUntil(timeMs: number | undefined): Promise<void> {
    if (this.#changed || this.#stopped) return;
    let cancel: Cancel | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (timeMs !== undefined) cancel = this.#options.clock.at(timeMs, resolve);
    });
    this.#wake = undefined;
    cancel?.();
  }
}

/** True when the rows are no longer as the write wants them; trying again would not help. */
function isRefusal(error: unknown): boolean {
  return error instanceof StoreError && (error.code === 'unexpected-rows' || error.code === 'duplicate');
}
