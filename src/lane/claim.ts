import { sql } from 'kysely';
import { queryBuilder, statement } from '../store/query-builder.ts';
import type { Store, WriteStatement } from '../store/store.ts';
import type { LaneTables } from './queue-tables.ts';

/** So late a timer, a commit and a busy machine may make a turn, whatever its rate; this much of work may then follow at once. */
const LATE_US = 100_000;

/** A job whose turn has come. */
export interface LaneJob {
  readonly id: string;
  readonly key: string;
  readonly payload: string;
  readonly cost: number;
  /** Milliseconds since the epoch. */
  readonly enqueuedAt: number;
}

export interface ClaimRequest {
  readonly store: Store;
  readonly lane: string;
  readonly owner: string;
  /** Unique to this claim. */
  readonly token: string;
  readonly nowUs: number;
  /** At most this many keys, the longest due first. */
  readonly batch: number;
}

/** What a job's columns give. */
export interface JobRow {
  readonly id: string;
  readonly key: string;
  readonly payload: string;
  readonly cost: number;
  readonly enqueued_at: number;
  readonly seq: number;
}

/**
 * Claims the oldest waiting job of each due key and moves the keys on. Jobs of one claim come in the order of enqueueing.
 *
 * It takes two looks. One statement that locks the keys and finds the heads would, on PostgreSQL, take heads from the
 * snapshot of its start: a worker that commits in between makes it claim a job twice. So the first statement marks the
 * keys (passing by those that another worker is marking), and the second one, with a new snapshot, finds their heads.
 */
export async function claimDue(request: ClaimRequest): Promise<readonly LaneJob[]> {
  const results = await request.store.write(claimStatements(request));
  const rows = (results[1]?.rows ?? []) as unknown as readonly JobRow[];
  return [...rows].sort((a, b) => a.seq - b.seq).map(laneJob);
}

export function laneJob(row: Omit<JobRow, 'seq'>): LaneJob {
  return { id: row.id, key: row.key, payload: row.payload, cost: row.cost, enqueuedAt: row.enqueued_at };
}

function claimStatements(request: ClaimRequest): readonly WriteStatement[] {
  const { lane, owner, token, nowUs } = request;
  const qb = queryBuilder<LaneTables>(request.store);
  const passBy = request.store.dialect === 'postgresql' ? sql`for update skip locked` : sql``;
  const mark = sql`
    update lane_key set claim = ${token} where lane = ${lane} and key in (
      select key from lane_key where lane = ${lane} and pending > 0 and next_at_us <= ${nowUs}
      order by next_at_us limit ${request.batch} ${passBy})`;
  const take = sql`
    update lane_job set state = 'claimed', owner = ${owner}, claim = ${token}
    where state = 'queued' and seq in (
      select (select min(j.seq) from lane_job j where j.lane = k.lane and j.key = k.key and j.state = 'queued')
      from lane_key k where k.claim = ${token})
    returning id, key, payload, cost, enqueued_at, seq`;
  // A key that is late by little keeps its beat, so that the long-run rate is exact; a key that is later than that starts
  // anew from now, so that no burst follows a pause.
  const move = sql`
    update lane_key set claim = null, pending = pending - 1,
      pending_cost = pending_cost - (select j.cost from lane_job j where j.claim = ${token} and j.key = lane_key.key),
      next_at_us = case when next_at_us >= ${nowUs} - interval_us / 10 or next_at_us >= ${nowUs - LATE_US} then next_at_us else ${nowUs} end
        + interval_us * (select j.cost from lane_job j where j.claim = ${token} and j.key = lane_key.key)
    where claim = ${token} and exists (select 1 from lane_job j where j.claim = ${token} and j.key = lane_key.key)`;
  const unmark = sql`update lane_key set claim = null where claim = ${token}`;
  return [mark, take, move, unmark].map((one) => statement(one.compile(qb)));
}
