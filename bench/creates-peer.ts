import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { STORE_MIGRATIONS } from '../src/server/store-migrations.ts';
import { migrate } from '../src/store/migrate.ts';
import { openPostgresStore } from '../src/store/postgresql-store.ts';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { peer } from '../src/testkit/peers.ts';
import { startPostgresql } from '../src/testkit/postgresql.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { cpuSeconds } from './process-cost.ts';

export interface InsertLoad {
  readonly clients: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Rows of `lane_key` that the jobs are spread over. */
  readonly keys: number;
}

export interface InsertFigures {
  readonly perSecond: number;
  readonly cpuSecondsEach: number;
  readonly meanMs: number;
}

// What calls.create writes, to the same tables with the same indexes, as one transaction of three statements.
const script = (keys: number): string => `
\\set from random(1, ${keys})
\\set to random(1, 9999)
begin;
insert into comms_call (sid, account_sid, "to", "from", status, stage, direction, queue_time, plan, date_created, date_updated)
  values ('CA' || md5(random()::text || clock_timestamp()::text), 'AC00000000000000000000000000000001', '+1415555' || :to,
    '+1202555' || :from, 'queued', 'queued', 'outbound-api', 0,
    '{"url":"http://127.0.0.1:9/voice?order=12345","statusCallback":"http://127.0.0.1:9/status","timeoutSeconds":30}',
    (extract(epoch from clock_timestamp()) * 1000)::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint);
insert into lane_key (lane, key, next_at_us, interval_us, pending, pending_cost)
  values ('call', 'AC1 ' || :from, 0, 1000000, 1, 1)
  on conflict (lane, key) do update set pending = lane_key.pending + 1, pending_cost = lane_key.pending_cost + 1
  where (lane_key.pending_cost + 1) * lane_key.interval_us <= 86400000000;
insert into lane_job (lane, id, key, payload, cost, enqueued_at, state)
  values ('call', 'CA' || md5(random()::text || clock_timestamp()::text), 'AC1 ' || :from, '', 1,
    (extract(epoch from clock_timestamp()) * 1000)::bigint, 'queued');
commit;
`;

/** PostgreSQL with its own settings (fsync, synchronous_commit on), asked by pgbench over a Unix socket. */
export async function measureInserts(scope: Scope, load: InsertLoad): Promise<InsertFigures> {
  const server = await startPostgresql({ durable: true });
  scope.after(() => server.stop());
  const connectionString = await server.createDatabase();
  const store = await openPostgresStore({ connectionString, clock: systemClock, logger: silentLogger });
  await migrate(store, STORE_MIGRATIONS, { clock: systemClock });
  await store.close();
  const file = join(temporaryFolder(scope, 'pgbench'), 'create.sql');
  writeFileSync(file, script(load.keys));
  await pgbench(connectionString, file, load.clients, load.warmUpSeconds);
  const before = cpuSeconds(server.pid);
  const { perSecond, meanMs } = await pgbench(connectionString, file, load.clients, load.seconds);
  const cpu = cpuSeconds(server.pid) - before;
  return { perSecond, meanMs, cpuSecondsEach: cpu / (perSecond * load.seconds) };
}

async function pgbench(
  connectionString: string,
  file: string,
  clients: number,
  seconds: number,
): Promise<Pick<InsertFigures, 'perSecond' | 'meanMs'>> {
  const { pathname, searchParams } = new URL(connectionString.replace('@/', '@localhost/'));
  const running = RunningProcess.start(peer('pgbench').path, [
    ...['-h', searchParams.get('host') ?? '', '-U', 'postgres', '-n', '-f', file, '-M', 'prepared'],
    ...['-c', String(clients), '-j', '1', '-T', String(seconds), pathname.slice(1)],
  ]);
  const { code } = await running.ended;
  const output = running.output();
  const perSecond = Number(/tps = ([\d.]+)/.exec(output)?.[1]);
  const meanMs = Number(/latency average = ([\d.]+) ms/.exec(output)?.[1]);
  if (code !== 0 || !(perSecond > 0)) throw new Error(`pgbench ended with ${code}:\n${output.slice(-2000)}`);
  return { perSecond, meanMs };
}
