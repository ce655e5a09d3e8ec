import { sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { prepared, queryBuilder, statement } from '../store/query-builder.ts';
import { StoreError } from '../store/store-error.ts';
import type { Store, WriteStatement } from '../store/store.ts';
import { LaneError } from './lane-error.ts';
import type { LaneTables } from './queue-tables.ts';

/** A lane is never deeper than what it can send in this time, and a job that waited longer is dropped. */
export const MAX_WAIT_MS = 24 * 60 * 60 * 1_000;

const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;

export interface NewJob {
  /** Unique within the lane: a call sid. */
  readonly id: string;
  /** Whose turn it takes: an account, a sender. */
  readonly key: string;
  /** Text for the handler; keep it small, a reference is best. */
  readonly payload: string;
  /** Turns that it takes; a whole number of at least 1, which is the default. */
  readonly cost?: number;
}

export interface LanePosition {
  /** Jobs of the same key that go before it. */
  readonly ahead: number;
  /** Milliseconds since the epoch. */
  readonly startsAtMs: number;
}

export interface LaneQueueOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Names the lane within the store: `call`, `message`. */
  readonly lane: string;
  /** For keys without a rate of their own. */
  readonly defaultRatePerSecond: number;
  readonly maxWaitMs?: number;
}

/** Durable first-in-first-out queues, one per key, each with its own rate. `LaneRunner` lets the jobs out. */
export class LaneQueue {
  readonly name: string;
  readonly store: Store;
  readonly maxWaitMs: number;
  readonly #clock: Clock;
  readonly #defaultIntervalUs: number;
  readonly #qb;
  readonly #countIn;
  readonly #insertJob;
  readonly #listeners = new Set<() => void>();

  constructor(options: LaneQueueOptions) {
    this.name = options.lane;
    this.store = options.store;
    this.maxWaitMs = options.maxWaitMs ?? MAX_WAIT_MS;
    this.#clock = options.clock;
    this.#defaultIntervalUs = intervalUs(options.defaultRatePerSecond);
    this.#qb = queryBuilder<LaneTables>(options.store);
    this.#countIn = this.#prepareCountIn();
    this.#insertJob = this.#prepareInsertJob();
  }

  /**
   * Puts the job at its key's end, in one write with `alongside` (the caller's own row).
   * Throws LaneError `full`, or the store's error; then nothing was written.
   */
  async enqueue(job: NewJob, alongside: readonly WriteStatement[] = []): Promise<void> {
    const write = (): Promise<unknown> => this.store.write([...alongside, ...this.enqueueStatements(job)]);
    try {
      await write();
    } catch (error) {
      await this.#throwIfFull(error, job);
      // The lane had room again when it was looked at; a refusal now comes from the caller's own statements.
      await write();
    }
    this.changed();
  }

  /** For writes that the caller makes itself: refused with `unexpected-rows` when the lane is full. Then call `changed`. */
  enqueueStatements(job: NewJob): readonly WriteStatement[] {
    const cost = job.cost ?? 1;
    if (!Number.isInteger(cost) || cost < 1) throw new RangeError(`cost ${cost}: want a whole number of at least 1`);
    const { id, key, payload } = job;
    const enqueuedAt = Math.floor(this.#clock.now());
    // The key's row comes first: its lock makes numbers follow the order of commits.
    return [this.#countIn({ key, cost }), this.#insertJob({ id, key, payload, cost, enqueuedAt })];
  }

  /** One more of the key; no row when the lane is full. */
  #prepareCountIn() {
    return prepared(
      ({ key, cost }: { key: string; cost: number }) =>
        this.#qb
          .insertInto('lane_key')
          .values({
            lane: this.name,
            key,
            next_at_us: 0,
            interval_us: this.#defaultIntervalUs,
            pending: 1,
            pending_cost: cost,
            claim: null,
          })
          .onConflict((conflict) =>
            conflict
              .columns(['lane', 'key'])
              .doUpdateSet({
                pending: sql<number>`lane_key.pending + 1`,
                pending_cost: sql<number>`lane_key.pending_cost + ${cost}`,
              })
              .where(
                sql<boolean>`(lane_key.pending_cost + ${cost}) * lane_key.interval_us <= ${this.maxWaitMs * US_PER_MS}`,
              ),
          ),
      { expectedRows: 1 },
    );
  }

  #prepareInsertJob() {
    type Job = { id: string; key: string; payload: string; cost: number; enqueuedAt: number };
    return prepared(
      ({ id, key, payload, cost, enqueuedAt }: Job) =>
        this.#qb.insertInto('lane_job').values({
          lane: this.name,
          id,
          key,
          payload,
          cost,
          enqueued_at: enqueuedAt,
          state: 'queued',
          owner: null,
          claim: null,
        }),
      { expectedRows: 1 },
    );
  }

  /** Takes a waiting job out, in one write with `alongside`; false when it no longer waits (then nothing was written). */
  async cancel(id: string, alongside: readonly WriteStatement[] = []): Promise<boolean> {
    if ((await this.position(id)) === undefined) return false;
    try {
      await this.store.write([...this.cancelStatements(id), ...alongside]);
      return true;
    } catch (error) {
      if (isUnexpectedRows(error) && (await this.position(id)) === undefined) return false;
      throw error;
    }
  }

  /** For writes that the caller makes itself: refused with `unexpected-rows` when the job no longer waits. */
  cancelStatements(id: string): readonly WriteStatement[] {
    return leavingStatements({ store: this.store, lane: this.name, id, next: undefined });
  }

  /** Sets the key's rate, for what waits too. */
  async setRate(key: string, ratePerSecond: number): Promise<void> {
    const interval = intervalUs(ratePerSecond);
    const latestUs = Math.floor(this.#clock.now() * US_PER_MS) + interval;
    const row = {
      lane: this.name,
      key,
      next_at_us: 0,
      interval_us: interval,
      pending: 0,
      pending_cost: 0,
      claim: null,
    };
    const upsert = this.#qb
      .insertInto('lane_key')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['lane', 'key']).doUpdateSet({
          interval_us: interval,
          // A lane that became faster does not wait out its old step.
          next_at_us: sql<number>`case when lane_key.next_at_us > ${latestUs} then ${latestUs} else lane_key.next_at_us end`,
        }),
      );
    await this.store.write([statement(upsert, { expectedRows: 1 })]);
    this.changed();
  }

  /** Where a waiting job stands; undefined when it does not wait. */
  async position(id: string): Promise<LanePosition | undefined> {
    const query = sql<{ ahead: number; ahead_cost: number; next_at_us: number; interval_us: number }>`
      select k.next_at_us, k.interval_us,
        (select count(*) from lane_job b where b.lane = j.lane and b.key = j.key and b.state = 'queued' and b.seq < j.seq)
          as ahead,
        (select cast(coalesce(sum(b.cost), 0) as bigint) from lane_job b
          where b.lane = j.lane and b.key = j.key and b.state = 'queued' and b.seq < j.seq) as ahead_cost
      from lane_job j join lane_key k on k.lane = j.lane and k.key = j.key
      where j.lane = ${this.name} and j.id = ${id} and j.state = 'queued'`;
    const [row] = await this.store.read(query.compile(this.#qb));
    if (row === undefined) return undefined;
    const startsAtMs = Math.max(row.next_at_us / US_PER_MS, this.#clock.now());
    return { ahead: row.ahead, startsAtMs: startsAtMs + (row.ahead_cost * row.interval_us) / US_PER_MS };
  }

  /** How many jobs of the key wait. */
  async depth(key: string): Promise<number> {
    const query = this.#qb
      .selectFrom('lane_key')
      .select('pending')
      .where('lane', '=', this.name)
      .where('key', '=', key);
    const [row] = await this.store.read(query.compile());
    return row?.pending ?? 0;
  }

  /** How many jobs wait, of all keys. */
  async waiting(): Promise<number> {
    const query = this.#qb
      .selectFrom('lane_key')
      .select((expression) => expression.fn.sum<number>('pending').as('waiting'))
      .where('lane', '=', this.name);
    const [row] = await this.store.read(query.compile());
    return Number(row?.waiting ?? 0);
  }

  /** Tells the runner that there may be something new. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  async #throwIfFull(error: unknown, job: NewJob): Promise<void> {
    if (!isUnexpectedRows(error)) throw error;
    const query = this.#qb
      .selectFrom('lane_key')
      .select(['pending', 'pending_cost', 'interval_us'])
      .where('lane', '=', this.name)
      .where('key', '=', job.key);
    const [row] = await this.store.read(query.compile());
    const waitMs = row === undefined ? 0 : ((row.pending_cost + (job.cost ?? 1)) * row.interval_us) / US_PER_MS;
    if (row === undefined || waitMs <= this.maxWaitMs) return;
    const hours = this.maxWaitMs / 3_600_000;
    throw new LaneError('full', `${row.pending} jobs wait in lane ${this.name}, ${hours} h of work: try again later`);
  }
}

/** Takes a waiting job off its key's count, and on to its next state or (undefined) out of the table. */
export function leavingStatements(job: {
  readonly store: Store;
  readonly lane: string;
  readonly id: string;
  readonly next: 'expired' | undefined;
}): readonly WriteStatement[] {
  const qb = queryBuilder<LaneTables>(job.store);
  const { lane, id } = job;
  const count = sql`
    update lane_key set pending = pending - 1,
      pending_cost = pending_cost - (select cost from lane_job where lane = ${lane} and id = ${id})
    where lane = ${lane} and key = (select key from lane_job where lane = ${lane} and id = ${id} and state = 'queued')`;
  const leave =
    job.next === undefined
      ? sql`delete from lane_job where lane = ${lane} and id = ${id} and state = 'queued'`
      : sql`update lane_job set state = ${job.next} where lane = ${lane} and id = ${id} and state = 'queued'`;
  return [statement(count.compile(qb), { expectedRows: 1 }), statement(leave.compile(qb), { expectedRows: 1 })];
}

function isUnexpectedRows(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'unexpected-rows';
}

function intervalUs(ratePerSecond: number): number {
  if (!(ratePerSecond > 0)) throw new RangeError(`rate ${ratePerSecond} per second: want a number above 0`);
  return Math.max(1, Math.round(US_PER_SECOND / ratePerSecond));
}
