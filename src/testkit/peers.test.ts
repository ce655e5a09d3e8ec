import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { everyPeer, peer } from './peers.ts';

/** Runs with this PATH and CI setting, and puts the old ones back after the test. */
function withEnvironment(t: TestContext, values: Readonly<Record<'PATH' | 'CI', string>>): void {
  const before = { PATH: process.env['PATH'], CI: process.env['CI'] };
  Object.assign(process.env, values);
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-peers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('finds a peer on the PATH', (t) => {
  const folder = emptyFolder(t);
  writeFileSync(join(folder, 'baresip'), '');
  chmodSync(join(folder, 'baresip'), 0o755);
  withEnvironment(t, { PATH: folder, CI: 'true' });
  assert.deepEqual(peer('baresip'), { path: join(folder, 'baresip'), options: {} });
});

test('passes over a file that is not executable', (t) => {
  const folder = emptyFolder(t);
  writeFileSync(join(folder, 'baresip'), '', { mode: 0o644 });
  withEnvironment(t, { PATH: folder, CI: '' });
  assert.match(peer('baresip').options.skip ?? '', /baresip is not installed .*baresip-core/);
});

test('a missing peer skips the test with its name, outside CI', (t) => {
  withEnvironment(t, { PATH: emptyFolder(t), CI: '' });
  assert.match(everyPeer('sipp', 'baresip').skip ?? '', /^sipp is not installed/);
});

test('a missing peer fails in CI', (t) => {
  withEnvironment(t, { PATH: emptyFolder(t), CI: 'true' });
  assert.throws(() => peer('sipp'), /sipp is not installed/);
});
