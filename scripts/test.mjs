// `npm test [-- part of a path ...]`: sets the clone up, then runs every test with the pinned Node.
// A run that is empty, hangs, or ends without its counts is a failure.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { BROWSER_SAFE } from './layout.mjs';
import { preparePeers } from './peers.mjs';
import { findNode, launch } from './pinned-node.mjs';
import { ROOT, setUp } from './set-up.mjs';

const FOLDERS = ['src', 'scripts', 'bench', 'conformance'];
const CONCURRENCY = 2;
/** How long a run that is told to end may take to name what was still running. */
const GRACE_MS = 5_000;

const isPure = (file) => BROWSER_SAFE.some((name) => file.startsWith(`src/${name}/`));

/** Bounds of all runs together stay below the 20 minutes that a CI job has; floors are just below what is there. */
const RUNS = [
  {
    // Pure packages leave nothing behind, so their files share one process: many times quicker.
    name: 'pure',
    holds: isPure,
    args: ['--test-isolation=none'],
    testTimeoutMs: 30_000,
    boundMs: 180_000,
    minFiles: 30,
    minTests: 400,
  },
  {
    name: 'isolated',
    holds: (file) => !isPure(file) && !file.startsWith('conformance/'),
    args: [`--test-concurrency=${CONCURRENCY}`],
    testTimeoutMs: 60_000,
    boundMs: 420_000,
    minFiles: 142,
    minTests: 1500,
  },
  {
    name: 'conformance',
    holds: (file) => file.startsWith('conformance/'),
    args: [`--test-concurrency=${CONCURRENCY}`],
    testTimeoutMs: 120_000,
    boundMs: 720_000,
    minFiles: 28,
    minTests: 440,
  },
];

/** Names in the order in which Node closes a run. */
const COUNTS = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'];
const NODE_WORDS = { passed: 'pass', failed: 'fail' };

await launch(async () => {
  setUp({ development: true });
  const wanted = process.argv.slice(2);
  const files = testFiles().filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
  const problems = [];
  if (files.length === 0) problems.push(`no test file matches ${wanted.join(' ') || FOLDERS.join(', ')}`);
  if (!preparePeers({ ci: process.env.CI === 'true' })) problems.push('peers are missing (named above)');

  const startedMs = performance.now();
  const total = Object.fromEntries(COUNTS.map((name) => [name, 0]));
  for (const run of RUNS) {
    const own = files.filter(run.holds);
    if (wanted.length === 0 && own.length < run.minFiles) {
      problems.push(`${run.name}: ${own.length} test files were found, wanted at least ${run.minFiles}`);
    }
    if (own.length === 0) continue;
    console.log(`\n${run.name}: ${own.length} files`);
    const outcome = await runTests(run, own);
    console.log(`${run.name}: ${outcome.counts.tests} tests in ${own.length} files`);
    problems.push(...outcome.problems.map((problem) => `${run.name}: ${problem}`));
    for (const name of COUNTS) total[name] += outcome.counts[name] ?? 0;
    if (wanted.length === 0 && outcome.counts.tests < run.minTests) {
      problems.push(`${run.name}: ${outcome.counts.tests} tests ran, wanted at least ${run.minTests}`);
    }
  }
  // What is wrong with a run as a whole counts as a failed test, so that every closing line says the same.
  total.tests += problems.length;
  total.failed += problems.length;
  report(total, problems, performance.now() - startedMs);
  return total.failed + total.cancelled === 0 ? 0 : 1;
});

/** Every test file as a path from the root with forward slashes, in a stable order. */
function testFiles() {
  return FOLDERS.filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((path) => join(folder, path)))
    .map((path) => path.split(sep).join('/'))
    .filter((path) => /\.test\.(?:ts|mjs)$/.test(path) && !path.includes('node_modules/'))
    .sort();
}

/** One `node --test`: `{ counts, problems }`. */
async function runTests({ args, testTimeoutMs, boundMs }, files) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  const tallyPath = join(folder, 'tally');
  try {
    const { code, timedOut } = await runBounded(boundMs, [
      '--test',
      ...args,
      `--test-timeout=${testTimeoutMs}`,
      ...['--test-reporter=./scripts/test-spec.mjs', '--test-reporter-destination=stdout'],
      ...['--test-reporter=./scripts/test-tally.mjs', `--test-reporter-destination=${tallyPath}`],
      ...files,
    ]);
    return judge(readTally(tallyPath), { code, timedOut, boundMs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readTally(path) {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

function judge(lines, { code, timedOut, boundMs }) {
  const filesThat = (kind) => lines.filter((line) => line.kind === kind).map((line) => line.file);
  const counts = lines.find((line) => line.kind === 'counts');
  const empty = filesThat('empty');
  const ended = new Set(filesThat('ended'));
  const running = filesThat('begun').filter((file) => !ended.has(file));
  const problems = empty.map((file) => `${file} holds no test`);
  if (timedOut) problems.push(`not over after ${boundMs / 1000} s; still running: ${running.join(' ') || 'unknown'}`);
  // A tested file that calls process.exit(0) ends a shared process with code 0 and no counts.
  else if (counts === undefined) problems.push(`ended with exit code ${code} and without its counts`);
  else if (code !== 0 && counts.failed + counts.cancelled === 0) problems.push(`ended with exit code ${code}`);
  // Node counts an empty file as a test that passed.
  const real = counts && { ...counts, tests: counts.tests - empty.length, passed: counts.passed - empty.length };
  return { counts: real ?? Object.fromEntries(COUNTS.map((name) => [name, 0])), problems };
}

/**
 * Runs Node in a process group of its own, so that the bound (and Ctrl-C) also ends what tests started, and nothing
 * outlives the run.
 */
function runBounded(boundMs, args) {
  const grouped = process.platform !== 'win32';
  const child = spawn(findNode(), args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: grouped,
    // Every file is a process, and many start servers: what one has stripped of types and compiled serves the others.
    env: { NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/tandem-test'), ...process.env },
  });
  const send = (signal, wholeGroup) => {
    try {
      process.kill(grouped && wholeGroup ? -child.pid : child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  return new Promise((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      send('SIGTERM', false);
      setTimeout(() => send('SIGKILL', true), GRACE_MS).unref();
    }, boundMs);
    const passOn = (signal) => send(signal, true);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, passOn);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, passOn);
      send('SIGKILL', true);
      resolve({ code: code ?? signal, timedOut });
    });
  });
}

/** Closes as Node closes a run, then says the same in one plain line. */
function report(total, problems, durationMs) {
  console.log();
  for (const problem of problems) console.log(`✖ ${problem}`);
  for (const name of COUNTS) console.log(`ℹ ${NODE_WORDS[name] ?? name} ${total[name]}`);
  console.log(`ℹ duration_ms ${durationMs.toFixed(0)}`);
  console.log(
    `${total.passed} passed, ${total.failed + total.cancelled} failed, ${total.skipped + total.todo} skipped`,
  );
}
