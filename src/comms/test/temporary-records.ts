import type { Clock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { migrate } from '../../store/migrate.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import { StoreError } from '../../store/store-error.ts';
import type { Store, WriteStatement } from '../../store/store.ts';
import { commsMigrations } from '../records/migrations.ts';
import { openRecords, type Records } from '../records/records.ts';
import { openSecrets } from '../records/secrets.ts';

/** Records over an embedded store of their own, which goes at `close`. */
export interface TemporaryRecords {
  readonly records: Records;
  readonly store: Store;
  write(statements: readonly WriteStatement[]): Promise<unknown>;
  /** From now on every write is refused, as by a full disk; reads go on. */
  fillDisk(full: boolean): void;
  close(): Promise<void>;
}

export async function openTemporaryRecords(ports: {
  readonly clock: Clock;
  readonly random: Random;
}): Promise<TemporaryRecords> {
  const { clock, random } = ports;
  const disk = openSqliteStore({ clock, logger: silentLogger });
  let full = false;
  const store: Store = {
    dialect: disk.dialect,
    write: (statements) => (full ? Promise.reject(new StoreError('full', 'the disk is full')) : disk.write(statements)),
    read: (statement) => disk.read(statement),
    revision: (table) => disk.revision(table),
    close: () => disk.close(),
  };
  await migrate(store, commsMigrations, { clock });
  const records = openRecords({ store, clock, random, secrets: openSecrets(random.bytes(32), random) });
  return {
    records,
    store,
    write: (statements) => store.write(statements),
    fillDisk: (value) => {
      full = value;
    },
    close: () => store.close(),
  };
}
