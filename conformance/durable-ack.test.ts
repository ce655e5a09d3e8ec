import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { peer } from '../src/testkit/peers.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { answersOf } from './crash-rounds/sync-trace.ts';

const FROM = '+12025550100';
const CALLERS = 16;
const CALLS_EACH = 6;
/** More than a page of the database: every row is in the trace whole. */
const TRACED_BYTES = 4200;
const CALLS_TRACED = 'trace=fdatasync,fsync,write,writev,pwrite64,pwritev,sendto,sendmsg';

const strace = peer('strace');
const [A, B] = [`CA${'a'.repeat(32)}`, `CA${'b'.repeat(32)}`];
const row = (sid: string): string => `7 pwrite64(9</data/tandem.db-wal>, "\\0\\1${sid}\\0", 4096, 32) = 4096`;
const answer = (sid: string): string =>
  `7 writev(20<TCP:[1]>, [{iov_base="HTTP/1.1 201 Created\\r\\n\\r\\n{\\"sid\\":\\"${sid}\\"}"}], 1) = 90`;
const SYNC = '7 fdatasync(9</data/tandem.db-wal>) = 0';

test('the reader of traces finds an answer that leaves before its row is on disk', () => {
  const missing = (lines: readonly string[]): readonly unknown[] => answersOf(lines).map((each) => each.missing);
  assert.deepEqual(answersOf([row(A), SYNC, answer(A)]), [{ sid: A, missing: undefined }]);
  assert.deepEqual(missing([row(A), row(B), SYNC, answer(B), answer(A)]), [undefined, undefined]);
  assert.deepEqual(missing([row(A), answer(A), SYNC]), ['the sync']);
  assert.deepEqual(missing([SYNC, answer(A), row(A)]), ['the row']);
  assert.deepEqual(missing([row(A), SYNC, row(B), answer(B)]), ['the sync']);
  const began = '7 fdatasync(9</data/tandem.db-wal> <unfinished ...>';
  assert.deepEqual(missing([row(A), began, answer(A)]), ['the sync'], 'a sync that has not returned');
  assert.deepEqual(missing([row(A), began, '7 <... fdatasync resumed>) = 0', answer(A)]), [undefined]);
  assert.deepEqual(missing([began, row(A), '7 <... fdatasync resumed>) = 0', answer(A)]), ['the sync']);
  assert.deepEqual(missing([row(A), SYNC.replace('= 0', '= -1 EIO (Input/output error)'), answer(A)]), ['the sync']);
  assert.deepEqual(missing([row(A), SYNC.replace('tandem.db-wal', 'other'), answer(A)]), ['the sync'], 'another file');
});

test('the disk has answered before each 201 leaves, under 16 callers at once', strace.options, async (t) => {
  const tandem = await Tandem.start(t, {
    data: temporaryFolder(t, 'durable'),
    config: { callsPerSecond: 0.01, numbers: [{ phoneNumber: FROM }] },
  });
  const file = join(temporaryFolder(t, 'trace'), 'trace');
  const tracing = RunningProcess.start(strace.path, [
    ...['-f', '-y', '-s', String(TRACED_BYTES), '-e', CALLS_TRACED, '-e', 'signal=none', '-o', file],
    ...['-p', String(tandem.ready.pid)],
  ]);
  await tracing.line(/attached/, { on: 'stderr' });

  const path = `/2010-04-01/Accounts/${tandem.ready.accountSid}/Calls.json`;
  const create = async (): Promise<string> => {
    const body = new URLSearchParams({ From: FROM, To: 'sip:nobody@127.0.0.1:9', Twiml: '<Response/>' });
    const response = await tandem.fetch(path, { method: 'POST', body });
    assert.equal(response.status, 201);
    return ((await response.json()) as { readonly sid: string }).sid;
  };
  const callers = Array.from({ length: CALLERS }, async () => {
    const sids: string[] = [];
    for (let i = 0; i < CALLS_EACH; i++) sids.push(await create());
    return sids;
  });
  const created = (await Promise.all(callers)).flat();
  await tracing.end('SIGINT');

  assert.ok(existsSync(file), 'strace wrote nothing');
  const answers = answersOf(readFileSync(file, 'latin1').split('\n'));
  assert.deepEqual(answers.map(({ sid }) => sid).sort(), created.toSorted(), 'each answer is in the trace once');
  assert.deepEqual(
    answers.filter(({ missing }) => missing !== undefined),
    [],
  );
});
