// `npm run check [-- --without-tests]`: every gate, then the tests; all of them are run even when one fails.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { findNode, launch } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';

const GATES = ['format:check', 'types', 'lint', 'arrows', 'unused', 'licences'];
const GATE_BOUND_MS = 180_000;
/** The tests bound themselves (scripts/test.mjs). */
const TEST_BOUND_MS = 1_140_000;

await launch(() => {
  setUp({ development: true });
  const withTests = !process.argv.includes('--without-tests');
  const results = GATES.map((name) => runScript(name, GATE_BOUND_MS));
  if (withTests) results.push(runScript('test', TEST_BOUND_MS));
  console.log();
  for (const { name, ok, durationMs } of results) {
    console.log(`${ok ? '✔' : '✖'} ${name} (${(durationMs / 1000).toFixed(1)} s)`);
  }
  const failed = results.filter((result) => !result.ok).length;
  console.log(`check: ${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

/** Runs a script of package.json; the tools' own `#!/usr/bin/env node` finds the pinned Node first. */
function runScript(name, timeout) {
  console.log(`\n--- ${name}`);
  const startedMs = performance.now();
  const { status, error } = spawnSync('npm', ['run', '--silent', name], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout,
    shell: process.platform === 'win32',
    env: { ...process.env, PATH: `${dirname(findNode())}${delimiter}${process.env.PATH}` },
  });
  if (error !== undefined) console.log(`${name}: ${error.message}`);
  return { name, ok: status === 0, durationMs: performance.now() - startedMs };
}
