import type { Generated } from 'kysely';
import type { Migration } from '../store/migrate.ts';

/**
 * - `queued`: waits for its turn.
 * - `claimed`: has its turn, but nothing of it left the process: after a crash it waits again.
 * - `taken`: the owner's `takenStatements` are on disk and its handler may have acted: after a crash it is interrupted.
 * - `expired`: waited too long; goes when that was told.
 */
export type JobState = 'queued' | 'claimed' | 'taken' | 'expired';

/** One row per key that ever had a job. */
interface LaneKeyTable {
  lane: string;
  key: string;
  /** Microseconds since the epoch, so that rates like 3 per second are exact. */
  next_at_us: number;
  /** Microseconds from one job of cost 1 to the next. */
  interval_us: number;
  pending: number;
  pending_cost: number;
  /** Set within one claiming write only. */
  claim: string | null;
}

interface LaneJobTable {
  /** Rises in the order of commits within a key. */
  seq: Generated<number>;
  lane: string;
  id: string;
  key: string;
  payload: string;
  cost: number;
  /** Milliseconds since the epoch. */
  enqueued_at: number;
  state: JobState;
  owner: string | null;
  claim: string | null;
}

export interface LaneTables {
  lane_key: LaneKeyTable;
  lane_job: LaneJobTable;
}

const columns = `
  lane text not null,
  id text not null,
  key text not null,
  payload text not null,
  cost bigint not null,
  enqueued_at bigint not null,
  state text not null,
  owner text,
  claim text`;

const keysAndIndexes = [
  `create table lane_key (
    lane text not null,
    key text not null,
    next_at_us bigint not null,
    interval_us bigint not null,
    pending bigint not null,
    pending_cost bigint not null,
    claim text,
    primary key (lane, key)
  )`,
  'create index lane_key_due on lane_key (lane, next_at_us) where pending > 0',
  'create index lane_key_claim on lane_key (claim) where claim is not null',
  'create unique index lane_job_id on lane_job (lane, id)',
  "create index lane_job_head on lane_job (lane, key, seq) where state = 'queued'",
  "create index lane_job_age on lane_job (lane, enqueued_at) where state = 'queued'",
  'create index lane_job_claim on lane_job (claim) where claim is not null',
];

export const laneMigrations: readonly Migration[] = [
  {
    name: 'lane/0001-queue',
    up: {
      sqlite: [`create table lane_job (seq integer primary key autoincrement, ${columns})`, ...keysAndIndexes],
      postgresql: [
        `create table lane_job (seq bigint generated always as identity primary key, ${columns})`,
        ...keysAndIndexes,
      ],
    },
  },
];
