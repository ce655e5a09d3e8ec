import { after, before, describe } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { openPostgresStore } from '../../store/postgresql-store.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import { postgresqlMissing, startPostgresql, type TestPostgresql } from '../../testkit/postgresql.ts';
import { recordsCompliance } from './compliance.ts';

const ports = { clock: systemClock, logger: silentLogger };

recordsCompliance('records on SQLite', () => Promise.resolve(openSqliteStore(ports)));

describe('PostgreSQL', { skip: postgresqlMissing() ?? false }, () => {
  let server: TestPostgresql;
  before(async () => (server = await startPostgresql()));
  after(() => server.stop());

  recordsCompliance('records on PostgreSQL', async () =>
    openPostgresStore({ connectionString: await server.createDatabase(), ...ports }),
  );
});
