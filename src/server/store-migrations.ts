import { commsMigrations } from '../comms/records/migrations.ts';
import { laneMigrations } from '../lane/queue-tables.ts';
import { ledgerMigrations } from '../ledger/ledger.ts';
import { blobMigrations } from '../store/file-blobs.ts';
import type { Migration } from '../store/migrate.ts';

/** The tables of every package, in the order in which they are made. */
export const STORE_MIGRATIONS: readonly Migration[] = [
  ...commsMigrations,
  ...laneMigrations,
  ...ledgerMigrations,
  ...blobMigrations,
];
