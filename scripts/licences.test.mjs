import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkLicences } from './licences.mjs';

/** The gate's problems with a lock file of one package that has this licence. */
function problemsOf(t, license, options = {}) {
  const root = mkdtempSync(join(tmpdir(), 'tandem-licences-'));
  t.after(() => rmSync(root, { recursive: true }));
  const packages = { '': {}, 'node_modules/thing': { version: '1.0.0', license } };
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  return checkLicences({ root, minPackages: 1, exceptions: {}, ...options }).problems.join('\n');
}

for (const licence of ['MIT', '(MIT OR GPL-3.0)', 'MIT AND ISC']) {
  test(`accepts ${licence}`, (t) => assert.equal(problemsOf(t, licence), ''));
}

for (const licence of ['GPL-3.0', 'MIT AND GPL-3.0', 'SEE LICENSE IN LICENSE', undefined]) {
  test(`refuses ${licence ?? 'a package that states no licence'}`, (t) => {
    assert.match(problemsOf(t, licence), /^thing@1.0.0: licence/);
  });
}

test('accepts a named exception only with the licence it was named for', (t) => {
  const exceptions = { thing: { licence: 'GPL-3.0', reason: 'a process of its own' } };
  assert.equal(problemsOf(t, 'GPL-3.0', { exceptions }), '');
  assert.match(problemsOf(t, 'AGPL-3.0', { exceptions }), /licence AGPL-3.0/);
});

test('refuses an exception for a package that is gone', (t) => {
  assert.match(problemsOf(t, 'MIT', { exceptions: { gone: { licence: 'GPL-3.0', reason: 'old' } } }), /^gone is an/);
});

test('refuses to have read nothing', (t) => {
  assert.match(problemsOf(t, 'MIT', { minPackages: 2 }), /1 packages were read, wanted at least 2/);
});
