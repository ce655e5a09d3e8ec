import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { VirtualClock } from '../base/virtual-clock.ts';
import { commsMigrations } from '../comms/records/migrations.ts';
import { openRecords, type Records } from '../comms/records/records.ts';
import { MASTER_KEY_BYTES, openSecrets } from '../comms/records/secrets.ts';
import { laneMigrations } from '../lane/queue-tables.ts';
import { Ledger, ledgerMigrations } from '../ledger/ledger.ts';
import { migrate } from '../store/migrate.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { WriteStatement } from '../store/store.ts';
import { CountedLane } from './counted-lane.ts';

export interface RowsOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly log: Logger;
  /** Calls of the API that leave the lane in a second. */
  readonly callsPerSecond: number;
}

/** The embedded store without its file, with what keeps its rows there. */
export interface RowsInMemory {
  readonly records: Records;
  readonly lane: CountedLane;
  write(statements: readonly WriteStatement[]): Promise<void>;
  close(): Promise<void>;
}

export async function openRowsInMemory({ clock, random, log, callsPerSecond }: RowsOptions): Promise<RowsInMemory> {
  const store = openSqliteStore({ inMemory: true, clock, logger: log });
  await migrate(store, [...commsMigrations, ...laneMigrations, ...ledgerMigrations], { clock });
  const secrets = openSecrets(random.bytes(MASTER_KEY_BYTES), random);
  const records = openRecords({ store, clock, random, secrets });
  const ledger = new Ledger(store);
  const lane = new CountedLane({
    ...{ store, records, ledger, clock, random, log, callsPerSecond },
    callsPerSecondFrom: {},
  });
  return {
    records,
    lane,
    write: async (statements) => void (await store.write(statements)),
    close: () => store.close(),
  };
}
