import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { compileCacheFor } from './tandem-process.mjs';

const LAUNCHER = pathToFileURL(join(import.meta.dirname, 'tandem-process.mjs')).href;

function temporary(t) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-launch-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('keeps compiled code in the folder of the program', (t) => {
  const folder = temporary(t);
  assert.equal(compileCacheFor(folder), join(folder, 'node_modules/.cache/tandem-compile'));
});

test('keeps compiled code with its user where the folder of the program cannot be written', () => {
  const cache = compileCacheFor('/nowhere/at/all');
  assert.ok(cache.startsWith(process.env.XDG_CACHE_HOME ?? homedir()), cache);
});

test('the program runs with the small young generation, fills the cache, and gets its arguments', (t) => {
  const folder = temporary(t);
  const program = join(folder, 'program.mjs');
  writeFileSync(
    program,
    'console.log(JSON.stringify([process.execArgv, process.argv.slice(2)])); process.exitCode = 7;',
  );
  const cache = join(folder, 'cache');
  const code = `import { runTandem } from ${JSON.stringify(LAUNCHER)};
    process.exitCode = await runTandem(${JSON.stringify(program)}, ['up', '--json']);`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  assert.deepEqual(JSON.parse(stdout), [['--max-semi-space-size=8'], ['up', '--json']]);
  assert.equal(status, 7);
  assert.ok(existsSync(cache) && readdirSync(cache).length > 0);
});
