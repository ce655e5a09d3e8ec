import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkArrows } from './arrows.mjs';

/** The gate's problems with a tree of these files (path under src -> text). */
async function problemsOf(t, files, minFiles = 1) {
  const root = mkdtempSync(join(tmpdir(), 'tandem-arrows-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, 'src', path)), { recursive: true });
    writeFileSync(join(root, 'src', path), text);
  }
  return (await checkArrows({ root, minFiles })).problems;
}

const value = 'export const value = 1;\n';
const importing = (path) => `import { value } from '${path}';\nexport const other = value;\n`;

test('accepts an arrow that the table has', async (t) => {
  assert.deepEqual(await problemsOf(t, { 'base/a.ts': value, 'sip/b.ts': importing('../base/a.ts') }), []);
});

test('refuses a tree without files', async (t) => {
  assert.match((await problemsOf(t, {})).join(), /src holds 0 TypeScript files, wanted at least 1/);
});

test('refuses a tree with fewer files than the floor', async (t) => {
  assert.match((await problemsOf(t, { 'base/a.ts': value }, 2)).join(), /holds 1 TypeScript files/);
});

test('refuses an upward arrow', async (t) => {
  const problems = await problemsOf(t, { 'base/a.ts': importing('../sip/b.ts'), 'sip/b.ts': value });
  assert.deepEqual(problems, ['src/base/a.ts -> src/sip/b.ts (base may import nothing)']);
});

test('refuses an upward arrow that imports only a type', async (t) => {
  const problems = await problemsOf(t, {
    'base/a.ts': "import type { T } from '../sip/b.ts';\nexport type U = T;\n",
    'sip/b.ts': 'export type T = string;\n',
  });
  assert.match(problems.join(), /src\/base\/a.ts -> src\/sip\/b.ts/);
});

test('refuses an arrow between two domains', async (t) => {
  const problems = await problemsOf(t, { 'comms/a.ts': importing('../content/b.ts'), 'content/b.ts': value });
  assert.match(problems.join(), /comms may import/);
});

test('refuses a cycle that only types close', async (t) => {
  const problems = await problemsOf(t, {
    'base/a.ts': "import type { B } from './b.ts';\nexport interface A { readonly b: B }\n",
    'base/b.ts': "import type { A } from './a.ts';\nexport interface B { readonly a: A }\n",
  });
  assert.match(problems.join(), /no-cycle/);
});

test('refuses a file in a folder that the table does not know', async (t) => {
  assert.match((await problemsOf(t, { 'helpers/a.ts': value })).join(), /src\/helpers\/a.ts is in no package/);
});

test('refuses a file beside the packages', async (t) => {
  assert.match((await problemsOf(t, { 'a.ts': value })).join(), /src\/a.ts is in no package/);
});

for (const name of ['node:fs', 'fs']) {
  test(`refuses ${name} in a package that must run in a browser, but not in its tests`, async (t) => {
    const text = `import { readFileSync } from '${name}';\nexport const read = readFileSync;\n`;
    const problems = await problemsOf(t, { 'wire/sip/a.ts': text, 'wire/sip/b.test.ts': text, 'sip/c.ts': text });
    assert.deepEqual(problems.length, 1);
    assert.match(problems[0], /src\/wire\/sip\/a.ts -> (?:node:)?fs \(browser-safe\)/);
  });
}

test('refuses testkit outside tests', async (t) => {
  const problems = await problemsOf(t, {
    'sip/a.ts': importing('../testkit/t.ts'),
    'sip/a.test.ts': importing('../testkit/t.ts'),
    'testkit/t.ts': value,
  });
  assert.deepEqual(problems, ['src/sip/a.ts -> src/testkit/t.ts (only-tests-import-testkit)']);
});

test('lets only the queue of lane import the store', async (t) => {
  const problems = await problemsOf(t, {
    'store/s.ts': value,
    'lane/queue.ts': importing('../store/s.ts'),
    'lane/pace.ts': importing('../store/s.ts'),
  });
  assert.deepEqual(problems, ['src/lane/pace.ts -> src/store/s.ts (lane/pace may import base, lane/lane-error)']);
});

test('refuses the queue in the pace of lane, which would bring the store along', async (t) => {
  const problems = await problemsOf(t, { 'lane/queue.ts': value, 'lane/pace.ts': importing('./queue.ts') });
  assert.match(problems.join(), /^src\/lane\/pace.ts -> src\/lane\/queue.ts/);
});

test('lets sip import the pace of lane, not its queue', async (t) => {
  const problems = await problemsOf(t, {
    'lane/queue.ts': importing('./pace.ts'),
    'lane/pace.ts': value,
    'sip/a.ts': importing('../lane/pace.ts'),
    'sip/b.ts': importing('../lane/queue.ts'),
  });
  assert.equal(problems.length, 1);
  assert.match(problems[0], /src\/sip\/b.ts -> src\/lane\/queue.ts/);
});

test('knows modules of Node that exist only with their prefix', async (t) => {
  const text = "import { DatabaseSync } from 'node:sqlite';\nexport const database = DatabaseSync;\n";
  assert.deepEqual(await problemsOf(t, { 'store/a.ts': text }), []);
  assert.match((await problemsOf(t, { 'wire/a.ts': text })).join(), /browser-safe/);
});

test('lets cli import the server lazily only', async (t) => {
  const problems = await problemsOf(t, {
    'server/s.ts': value,
    'cli/a.ts': "export const run = async () => (await import('../server/s.ts')).value;\n",
    'cli/b.ts': importing('../server/s.ts'),
  });
  assert.deepEqual(problems, [
    'src/cli/b.ts -> src/server/s.ts (cli imports server, scripted-phone, measure only lazily)',
  ]);
});

test('refuses an import that does not resolve', async (t) => {
  assert.match((await problemsOf(t, { 'base/a.ts': importing('./gone.ts') })).join(), /must-resolve/);
});

test('refuses an import from outside src', async (t) => {
  assert.match(
    (await problemsOf(t, { 'sip/a.ts': importing('../../gone/x.ts'), '../gone/x.ts': value })).join(),
    /stays-in-src/,
  );
});
