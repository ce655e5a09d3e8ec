import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const VERSIONS_FOLDER = '/usr/lib/postgresql';

/** A private PostgreSQL server on a Unix socket in a temporary folder. */
export interface TestPostgresql {
  /** The parent of all its processes. */
  readonly pid: number;
  /** Makes an empty database and returns its connection string. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Why tests on PostgreSQL are left out: undefined when its programs are installed, and where CI is set, so that a
 * missing peer fails there. Give it to node:test as `skip`.
 */
export function postgresqlMissing(): string | undefined {
  if (binFolder() !== undefined || process.env['CI'] !== undefined) return undefined;
  return `PostgreSQL is not installed (no initdb in ${VERSIONS_FOLDER}/*/bin)`;
}

/** Without durability, which tests do not need and wait for, unless `durable` asks for PostgreSQL's own settings. */
export async function startPostgresql(options: { readonly durable?: boolean } = {}): Promise<TestPostgresql> {
  const bin = binFolder();
  if (bin === undefined) throw new Error(`no initdb in ${VERSIONS_FOLDER}/*/bin: install PostgreSQL`);
  const owner = await serverOwner();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-pg-'));
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const rules = ['-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  await run(join(bin, 'initdb'), ['-D', data, ...rules], { ...owner, cwd: folder });
  const settings = options.durable === true ? [] : ['fsync=off', 'full_page_writes=off'];
  const server = await startServer(join(bin, 'postgres'), { data, folder, settings, owner });
  return testPostgresql(server, folder);
}

function testPostgresql(server: ChildProcess, folder: string): TestPostgresql {
  const connectionString = (database: string): string => `postgresql://postgres@/${database}?host=${folder}`;
  let count = 0;
  return {
    pid: server.pid ?? 0,
    async createDatabase() {
      count += 1;
      const name = `test_${count}`;
      const client = new pg.Client({ connectionString: connectionString('postgres') });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return connectionString(name);
    },
    async stop() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.stdin?.end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: then its own user runs it. */
async function serverOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

// The shell ends the server when its input closes, so that no server outlives the process that started it.
const GUARD = 'exec 3<&0; "$0" "$@" & pid=$!; (cat <&3 >/dev/null; kill -INT $pid) & wait $pid';

interface ServerPlace {
  readonly data: string;
  readonly folder: string;
  readonly settings: readonly string[];
  readonly owner: Owner | undefined;
}

async function startServer(program: string, place: ServerPlace): Promise<ChildProcess> {
  const { data, folder, owner } = place;
  const settings = ['listen_addresses=', 'max_connections=100', ...place.settings];
  const args = ['-D', data, '-k', folder, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn('sh', ['-c', GUARD, program, ...args], {
    ...owner,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    let log = '';
    server.stderr.on('data', (chunk: Buffer) => {
      if (log.includes('ready to accept connections')) return;
      log += chunk.toString('utf8');
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log}`)));
  });
  return server;
}

function binFolder(): string | undefined {
  if (!existsSync(VERSIONS_FOLDER)) return undefined;
  return readdirSync(VERSIONS_FOLDER)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(VERSIONS_FOLDER, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')));
}
