import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { systemClock } from '../base/clock.ts';
import { lockDataFolder } from '../store/data-folder-lock.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { claimPorts } from '../testkit/port-block.ts';
import { postgresqlMissing, startPostgresql } from '../testkit/postgresql.ts';
import { atEnd } from '../testkit/scope.ts';
import { temporaryFolder } from '../testkit/temporary-folder.ts';
import { loadConfig } from './load-config.ts';
import { startProgram, type Program, type ProgramOptions } from './program.ts';

type Flags = Readonly<Record<string, unknown>>;

async function start(
  t: TestContext,
  flags: Flags = {},
  environment: ProgramOptions['environment'] = {},
): Promise<Program> {
  const ports = await claimPorts(t);
  const config = await loadConfig({
    environment: {},
    flags: {
      data: temporaryFolder(t, 'data'),
      http: '127.0.0.1:0',
      sip: '127.0.0.1:0',
      rtp: `${ports.first}-${ports.first + ports.count - 1}`,
      mediaProcesses: 1,
      logLevel: 'silent',
      ...flags,
    },
  });
  const path = process.env['PATH'];
  const program = await startProgram(config, {
    environment: { PATH: path, ...environment },
    onStopAsked: () => undefined,
  });
  atEnd(t, () => program.close());
  return program;
}

function childProcesses(): readonly string[] {
  const lines = execFileSync('ps', ['-o', 'args=', '--ppid', String(process.pid)], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes('media-process'));
}

/** Nothing of a start that failed is left: no media process, no lock, no temporary folder that is known to a test. */
function assertAllClosed(data: string): void {
  assert.deepEqual(childProcesses(), []);
  lockDataFolder(data).release();
  assert.ok(!existsSync(join(data, 'run.json')));
}

async function answer(program: Program, path: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const credentials = Buffer.from(`${program.accountSid}:${program.authToken}`).toString('base64');
  const response = await fetch(program.http + path, { headers: { authorization: `Basic ${credentials}` } });
  return { status: response.status, body: await response.json() };
}

test('starts from nothing, answers at its doors, and is gone when it is closed, twice or once', async (t) => {
  const data = join(temporaryFolder(t, 'data'), 'never-made');
  const program = await start(t, { data, ephemeral: true });
  assert.match(program.http, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(program.sip.udp, /^127\.0\.0\.1:\d+$/);
  assert.equal(program.liveCalls(), 0);
  assert.equal((await answer(program, '/health')).status, 200);
  assert.equal((await answer(program, '/tandem/v1/status')).status, 200);
  assert.equal((await answer(program, `/2010-04-01/Accounts/${program.accountSid}.json`)).status, 200);
  assert.equal(childProcesses().length, 1);
  await program.drain();
  await Promise.all([program.close(), program.close()]);
  await program.close();
  await assert.rejects(fetch(program.http));
  assert.deepEqual(childProcesses(), []);
  assert.ok(!existsSync(data), 'an ephemeral program touches no other folder');
});

test('the data folder holds what the next start needs, for its owner only', async (t) => {
  const data = temporaryFolder(t, 'data');
  const first = await start(t, { data });
  const run = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as object;
  assert.deepEqual(run, {
    pid: process.pid,
    url: first.http,
    ...(first.https === undefined ? {} : { https: first.https }),
    accountSid: first.accountSid,
    authToken: first.authToken,
  });
  for (const file of ['run.json', 'master.key', 'tandem.db']) {
    assert.equal(statSync(join(data, file)).mode & 0o077, 0, file);
  }
  await first.close();
  assert.ok(!existsSync(join(data, 'run.json')));
  const second = await start(t, { data });
  assert.deepEqual([second.accountSid, second.authToken], [first.accountSid, first.authToken]);
});

test('links lead to the door, or to where the operator says', async (t) => {
  const known = await start(t);
  const missing = await answer(known, '/2010-04-01/Nothing.json');
  assert.equal((missing.body as { more_info: string }).more_info, `${known.http}/docs/errors/20404`);
  const named = await start(t, { publicUrl: 'https://calls.example.org/' });
  const again = await answer(named, '/2010-04-01/Nothing.json');
  assert.equal((again.body as { more_info: string }).more_info, 'https://calls.example.org/docs/errors/20404');
});

test('account sid and token are those of the configuration', async (t) => {
  const accountSid = `AC${'ab'.repeat(16)}`;
  const data = temporaryFolder(t, 'data');
  const authToken = '1'.repeat(32);
  const program = await start(t, { data, accountSid, authToken });
  assert.deepEqual([program.accountSid, program.authToken], [accountSid, authToken]);
  const path = `/2010-04-01/Accounts/${accountSid}.json`;
  assert.equal((await answer(program, path)).status, 200);
  assert.equal((await answer({ ...program, authToken: '2'.repeat(32) }, path)).status, 401);
});

test('a second program on a data folder is told who has it', async (t) => {
  const data = temporaryFolder(t, 'data');
  const program = await start(t, { data });
  await assert.rejects(start(t, { data }), {
    code: 'locked',
    message: new RegExp(`in use by another process \\(pid ${process.pid}\\)`),
  });
  assert.equal((await answer(program, '/health')).status, 200);
  assert.ok(existsSync(join(data, 'run.json')));
});

test('a start that fails late closes all that was opened', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen({ host: '127.0.0.1', port: 0 }, resolve));
  atEnd(t, () => new Promise<void>((resolve) => taken.close(() => resolve())));
  const address = taken.address();
  assert.ok(typeof address === 'object' && address !== null);
  const data = temporaryFolder(t, 'data');
  const failures: readonly (readonly [Flags, RegExp])[] = [
    [{ http: `127.0.0.1:${address.port}` }, /^http: 127\.0\.0\.1:\d+ is taken by another program; name another with/],
    [{ sip: `127.0.0.1:${address.port}` }, /^sip: 127\.0\.0\.1:\d+ is taken by another program; name another with/],
    [{ sip: '192.0.2.1:0' }, /^sip: 192\.0\.2\.1 is no address of this machine/],
    [{ webhookAllow: ['not a host!'] }, /^webhookAllow: /],
    [{ rtp: '1-2' }, /^rtp: got "1-2"/],
    [{ numbers: [{ phoneNumber: '+12025550100', application: 'none' }] }, /names the application "none"/],
    [{ postgresql: 'postgresql://nobody@127.0.0.1:1/none' }, /./],
  ];
  for (const [flags, message] of failures) {
    await assert.rejects(start(t, { data, ...flags }), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
    assertAllClosed(data);
  }
});

test('a speech engine that was asked for and is not there stops the start', async (t) => {
  const data = temporaryFolder(t, 'data');
  await assert.rejects(start(t, { data, speechEngine: 'flite' }, { PATH: '' }), { code: 'no-engine' });
  assertAllClosed(data);
});

test('a data folder that a newer version wrote is left alone', async (t) => {
  const data = temporaryFolder(t, 'data');
  await (await start(t, { data })).close();
  const store = openSqliteStore({ path: join(data, 'tandem.db'), clock: systemClock, logger: silentLogger });
  await store.write([
    { sql: "insert into tandem_migration (name, applied_at) values ('comms/9999-tomorrow', 1)", parameters: [] },
  ]);
  await store.close();
  await assert.rejects(start(t, { data }), {
    code: 'too-new',
    message: /written by a newer version \(it has comms\/9999-tomorrow.*run that version, or use another data folder/,
  });
  assertAllClosed(data);
});

test('the master key may come from the environment, and then is not in the data folder', async (t) => {
  const data = temporaryFolder(t, 'data');
  const environment = { TANDEM_MASTER_KEY: 'ab'.repeat(32) };
  const { authToken, ...first } = await start(t, { data }, environment);
  await first.close();
  assert.ok(!existsSync(join(data, 'master.key')));
  const again = await start(t, { data }, environment);
  assert.equal(again.authToken, authToken);
  await again.close();
  await assert.rejects(start(t, { data }, { TANDEM_MASTER_KEY: 'cd'.repeat(32) }), { code: 'wrong-key' });
  const bad = start(t, { data }, { TANDEM_MASTER_KEY: 'geheim' });
  await assert.rejects(bad, { code: 'bad-master-key', message: /^TANDEM_MASTER_KEY: 6 characters, want 64/ });
  assertAllClosed(data);
});

test('a master key that others may read is refused', async (t) => {
  const data = temporaryFolder(t, 'data');
  writeFileSync(join(data, 'master.key'), `${'ab'.repeat(32)}\n`, { mode: 0o644 });
  await assert.rejects(start(t, { data }), { code: 'bad-master-key', message: /run chmod 600/ });
  assertAllClosed(data);
});

test('whoever reads the log, or keeps a connection, does not hold up the end', async (t) => {
  const program = await start(t);
  const credentials = Buffer.from(`${program.accountSid}:${program.authToken}`).toString('base64');
  const headers = { authorization: `Basic ${credentials}` };
  const following = await fetch(`${program.http}/tandem/v1/logs?follow=true`, { headers });
  const ended = following.text();
  await answer(program, '/health');
  const browser = new WebSocket(`${program.http.replace('http', 'ws')}/signal`);
  await once(browser, 'open');
  const gone = once(browser, 'close');
  await program.close();
  await ended;
  await gone;
});

test('what a person should know is said at the start', async (t) => {
  const { notices } = await start(t, { ephemeral: true, webhookAllow: ['198.51.100.0/24'] });
  assert.deepEqual(notices, [
    'webhooks may reach this machine and its local network and 198.51.100.0/24',
    'reachable from this machine only; phones on the network need --lan',
    'nothing is kept (--ephemeral)',
  ]);
});

test('PostgreSQL keeps what a data folder does not', { skip: postgresqlMissing() ?? false }, async (t) => {
  const server = await startPostgresql();
  atEnd(t, () => server.stop());
  const postgresql = await server.createDatabase();
  const data = temporaryFolder(t, 'data');
  const first = await start(t, { data, postgresql, numbers: [{ phoneNumber: '+12025550123' }] });
  const path = `/2010-04-01/Accounts/${first.accountSid}/IncomingPhoneNumbers.json`;
  assert.match(JSON.stringify(await answer(first, path)), /\+12025550123/);
  await first.close();
  assert.ok(!existsSync(join(data, 'tandem.db')));
  const second = await start(t, { data, postgresql });
  assert.deepEqual([second.accountSid, second.authToken], [first.accountSid, first.authToken]);
  assert.match(JSON.stringify(await answer(second, path)), /\+12025550123/);
});
