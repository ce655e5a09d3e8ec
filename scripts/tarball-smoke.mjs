// Packs the tarball, installs it with plain npm into an empty folder, and runs it there as a stranger would: with the
// system's own Node on the PATH and nothing of the clone. A real phone is called with it, once with each way to speak.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPeer } from './peers.mjs';
import { launch } from './pinned-node.mjs';
import { ROOT } from './set-up.mjs';
import { startTestPhone } from './test-phone.mjs';

const STEP_BOUND_MS = 240_000;
const READY_BOUND_MS = 20_000;
const STOP_BOUND_MS = 20_000;
const CALL_BOUND_MS = 30_000;
const POLL_MS = 200;
/** Root mean square, from 0 to 1; a voice is far above it. */
const SILENCE = 0.01;
const MIN_HEARD_SECONDS = 1;
const TEXT = 'Hello. This is a call from an installed package.';
/** The engine that the server finds by itself, and the one that needs nothing installed. */
const SPEECH_ENGINES = [undefined, 'wasm'];
/** What must not be in the tarball. */
const UNWANTED = /(?:\.(?:test|fixture)\.|\/test\/|\/testkit\/|compliance\.|^src\/)/;
const WANTED = [
  'package.json',
  'LICENSE',
  'README.md',
  'scripts/tandem.mjs',
  'scripts/pinned-node.mjs',
  'scripts/tandem-process.mjs',
  'dist/cli/main.js',
  'dist/client/browser/client.js',
  'dist/client/client-types.d.ts',
  'dist/page/index.html',
  'dist/media/media-process.js',
  'dist/media/speech-wasm-program.js',
  'dist/store/writing-thread-program.js',
  'dist/page/index.html',
  'examples/ci/test.mjs',
];

await launch(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-tarball-'));
  try {
    const tarball = pack(folder);
    const place = join(folder, 'empty');
    mkdirSync(place);
    writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
    run('npm', ['install', '--no-audit', '--no-fund', tarball], place);
    console.log(`tarball: node ${run('node', ['--version'], place).trim()}`);
    console.log(`tarball: tandem ${run('npx', ['--no-install', 'tandem', '--version'], place).trim()}`);
    const executable = findPeer('baresip');
    if (executable === undefined) {
      if (process.env.CI === 'true')
        throw new Error('baresip is missing, so no call can be made (Debian: baresip-core)');
      console.log('skip: no call with the tarball, baresip is not installed (Debian: baresip-core)');
    }
    tryExample(folder, place, tarball);
    for (const speechEngine of SPEECH_ENGINES) {
      await withServer(place, speechEngine, async (ready) => {
        const phoneFolder = join(folder, `phone-${speechEngine ?? 'found'}`);
        if (executable !== undefined) await callPhone(place, ready, { executable, folder: phoneFolder });
      });
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The example for a newcomer's CI, as its README says: copied from the package, installed and tested in a folder of its own. */
function tryExample(folder, place, tarball) {
  const copy = join(folder, 'my-app');
  cpSync(join(place, 'node_modules/tandem/examples/ci'), copy, { recursive: true });
  const startedMs = performance.now();
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], copy);
  const installedMs = performance.now();
  run('npm', ['test'], copy);
  const seconds = (from, to) => ((to - from) / 1000).toFixed(1);
  const [install, test] = [seconds(startedMs, installedMs), seconds(installedMs, performance.now())];
  console.log(`tarball: the example of a CI passed, ${install} s to install and ${test} s to test`);
}

function pack(folder) {
  const [{ filename, files, unpackedSize }] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder], ROOT),
  );
  const paths = files.map((file) => file.path);
  const unwanted = paths.filter((path) => UNWANTED.test(path));
  if (unwanted.length > 0) throw new Error(`the tarball holds ${unwanted.join(', ')}: mend "files" or the build.`);
  const absent = WANTED.filter((path) => !paths.includes(path));
  if (absent.length > 0) throw new Error(`the tarball lacks ${absent.join(', ')}: mend "files" or the build.`);
  console.log(`tarball: ${paths.length} files, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`);
  return join(
    folder,
    readdirSync(folder).find((name) => name === filename || name.endsWith('.tgz')),
  );
}

/** The PATH without the clone's tools and its pinned Node, and without npm's variables about the clone. */
function strangersEnvironment() {
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_(?!config_registry)/i.test(name));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter), TANDEM_DATA: undefined };
}

function run(command, args, cwd) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: STEP_BOUND_MS,
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
    env: strangersEnvironment(),
  });
  if (status === 0) return stdout;
  throw new Error(`"${command} ${args.join(' ')}" failed: ${error?.message ?? `exit code ${status}`}\n${stdout}`);
}

/**
 * `tandem up --json --ephemeral` on free ports: its first line says ready; SIGTERM to the launcher ends it with code 0.
 * In between it is used.
 */
async function withServer(cwd, speechEngine, use) {
  const args = ['up', '--json', '--ephemeral', '--http', '127.0.0.1:0', '--sip', '127.0.0.1:0'];
  const launcher = join(cwd, 'node_modules/tandem/scripts/tandem.mjs');
  const speech = speechEngine === undefined ? {} : { TANDEM_SPEECH_ENGINE: speechEngine };
  const startedMs = performance.now();
  const child = spawn('node', [launcher, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...strangersEnvironment(), ...speech },
  });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  let ready;
  try {
    ready = JSON.parse(await firstLine(child.stdout, ended));
    if (ready.event !== 'ready') throw new Error(`wanted the event "ready" first, got ${JSON.stringify(ready)}`);
    console.log(`tarball: ready at ${ready.http} after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await use(ready);
    child.kill('SIGTERM');
    const code = await within(STOP_BOUND_MS, 'end after SIGTERM', ended);
    if (code !== 0) throw new Error(`wanted exit code 0 after SIGTERM, got ${code}`);
    console.log('tarball: stopped with exit code 0');
  } finally {
    // The launcher cannot pass SIGKILL on, so the program itself gets it too.
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      if (Number.isInteger(ready?.pid)) process.kill(ready.pid, 'SIGKILL');
    }
  }
}

/** Adds a phone, registers it, calls it over the REST API, and listens to what it heard. */
async function callPhone(cwd, ready, { executable, folder }) {
  const server = ['--url', ready.http, '--token', `${ready.accountSid}:${ready.authToken}`, '--json'];
  const added = run('npx', ['--no-install', 'tandem', 'phone', 'add', 'smoke', ...server], cwd);
  const { password } = JSON.parse(added);
  const phone = await startTestPhone({ executable, folder, user: 'smoke', password, server: ready.sip.udp });
  try {
    const [number] = (await rest(ready, '/IncomingPhoneNumbers.json')).incoming_phone_numbers;
    const call = await rest(ready, '/Calls.json', {
      To: 'sip:smoke@home.tandem',
      From: number.phone_number,
      Twiml: `<Response><Say>${TEXT}</Say></Response>`,
    });
    const over = await within(CALL_BOUND_MS, `end call ${call.sid}`, callOver(ready, call.sid));
    if (over.status !== 'completed' || !(Number(over.duration) > 0)) {
      throw new Error(`wanted a completed call, got ${over.status} after ${over.duration} s`);
    }
    const { seconds, loudness } = phone.heard();
    console.log(
      `tarball: call completed in ${over.duration} s; the phone heard ${seconds.toFixed(1)} s, RMS ${loudness.toFixed(3)}`,
    );
    if (seconds < MIN_HEARD_SECONDS || loudness < SILENCE) throw new Error('the phone heard no voice');
  } finally {
    await phone.stop();
  }
}

async function callOver(ready, sid) {
  for (;;) {
    const call = await rest(ready, `/Calls/${sid}.json`);
    if (!['queued', 'initiated', 'ringing', 'in-progress'].includes(call.status)) return call;
    await sleep(POLL_MS);
  }
}

/** GET, or POST with form fields, of a path under the account. */
async function rest(ready, path, fields) {
  const answer = await fetch(new URL(`/2010-04-01/Accounts/${ready.accountSid}${path}`, ready.http), {
    method: fields === undefined ? 'GET' : 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${ready.accountSid}:${ready.authToken}`).toString('base64')}` },
    ...(fields !== undefined && { body: new URLSearchParams(fields) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: wanted success, got ${answer.status} ${text}`);
  return JSON.parse(text);
}

function firstLine(stream, ended) {
  const line = new Promise((resolve) => createInterface(stream).once('line', resolve));
  const early = ended.then((code) => Promise.reject(new Error(`ended with ${code} before it said ready`)));
  return within(READY_BOUND_MS, 'say ready', Promise.race([line, early]));
}

function within(boundMs, what, promise) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`did not ${what} within ${boundMs / 1000} s`)), boundMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
