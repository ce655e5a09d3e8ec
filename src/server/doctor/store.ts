import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorText } from '../../base/errors.ts';
import type { Migration } from '../../store/migrate.ts';
import { failure, ok, type Finding } from './finding.ts';

const SUBJECT = 'store';
const CONNECT_TIMEOUT_MS = 3000;

/** Whether the embedded database is whole and of a version that this program can use. Only reads. */
export function examineSqlite(data: string, known: readonly Migration[]): Finding {
  const path = join(data, 'tandem.db');
  if (!existsSync(path)) return ok(SUBJECT, 'is made at the first start');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: CONNECT_TIMEOUT_MS });
    const [row] = database.prepare('pragma quick_check(1)').all();
    const verdict = String(Object.values(row ?? {})[0]);
    if (verdict !== 'ok') return failure(SUBJECT, `${path} is damaged (${verdict}): ${RESTORE}`);
    const applied = database.prepare('select name from tandem_migration').all();
    return versionFinding(
      applied.map(({ name }) => String(name)),
      known,
    );
  } catch (error) {
    return failure(SUBJECT, `${path} cannot be read: ${errorText(error)}; ${RESTORE}`);
  } finally {
    database?.close();
  }
}

const RESTORE = 'stop the server and put a backup in its place (docs/operations.md)';

function versionFinding(applied: readonly string[], known: readonly Migration[]): Finding {
  const names = new Set(known.map(({ name }) => name));
  const newer = applied.filter((name) => !names.has(name));
  if (newer.length > 0) return failure(SUBJECT, `a newer version wrote it (${newer.join(', ')}): run that version`);
  const pending = names.size - applied.length;
  if (pending === 0) return ok(SUBJECT, 'is whole, and of this version');
  return ok(SUBJECT, `is whole; the next start brings it up by ${pending} steps and keeps a copy of before`);
}

/** Whether the PostgreSQL server answers. */
export async function examinePostgresql(connectionString: string): Promise<Finding> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ setting: string }>("select current_setting('fsync') as setting");
    if (rows[0]?.setting === 'on') return ok(SUBJECT, 'PostgreSQL answers');
    return failure(SUBJECT, 'PostgreSQL runs with fsync=off: what is acknowledged may be lost; set fsync=on');
  } catch (error) {
    return failure(SUBJECT, `PostgreSQL does not answer: ${errorText(error)}; check "postgresql" in tandem.json`);
  } finally {
    await client.end().catch(() => undefined);
  }
}
