import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock, type Clock } from '../base/clock.ts';
import { loadSound } from './audio-file.ts';
import { openSpeech, MAX_SPEECH_CHARS, type SpeechOptions } from './speech-engine.ts';
import { SpeechError } from './speech-error.ts';
import { findProgram, runSpeechProcess } from './speech-process.ts';
import type { SpeechEngine } from './speech.ts';
import { VoiceActivity } from './voice-activity.ts';
import { parseWav } from './wav-reader.ts';
import { openWavWriter } from './wav-writer.ts';

const environmentPath = process.env['PATH'] ?? '';
const folder = await mkdtemp(join(tmpdir(), 'tandem-speech-'));
after(() => rm(folder, { recursive: true }));

let folders = 0;
function open(options: Partial<SpeechOptions> = {}): Promise<SpeechEngine> {
  folders += 1;
  return openSpeech({ cacheFolder: join(folder, `cache${folders}`), clock: systemClock, environmentPath, ...options });
}

const isSpeechError =
  (code: string, pattern = /./) =>
  (error: unknown): boolean =>
    error instanceof SpeechError && error.code === code && pattern.test(error.message);

/** Seconds in which the file holds sound. */
async function secondsOfSound(path: string): Promise<number> {
  const samples = await loadSound(path, { sampleRate: 8000 });
  const activity = new VoiceActivity({ sampleRate: 8000 });
  let frames = 0;
  for (let at = 0; at + 160 <= samples.length; at += 160)
    if (activity.push(samples.subarray(at, at + 160))) frames += 1;
  return frames / 50;
}

/** A program under this name that writes a WAV and counts its runs; `body` is shell before that. */
async function fakeFlite(body: string): Promise<{ readonly path: string; runs(): Promise<number> }> {
  folders += 1;
  const bin = join(folder, `bin${folders}`);
  await mkdir(bin);
  const sound = join(bin, 'sound.wav');
  const writer = await openWavWriter({ path: sound, sampleRate: 8000, channels: 1 });
  writer.append(new Int16Array(800).fill(1000));
  await writer.close();
  const script = `#!/bin/sh
[ "$1" = --version ] && { echo 'version: flite-9.9'; exit 1; }
echo run >> '${bin}/runs'
${body}
for last; do :; done
cp '${sound}' "$last"
`;
  await writeFile(join(bin, 'flite'), script);
  await chmod(join(bin, 'flite'), 0o700);
  const runs = async (): Promise<number> => (await readFile(join(bin, 'runs'), 'utf8')).split('\n').length - 1;
  return { path: [bin, '/usr/bin', '/bin'].join(delimiter), runs };
}

const missing = async (name: string): Promise<string | false> =>
  (await findProgram(name, environmentPath)) === undefined && `${name} is not installed`;

const wasmMissing = ((): string | false => {
  try {
    createRequire(import.meta.url).resolve('@echogarden/espeak-ng-emscripten/package.json');
    return false;
  } catch {
    return 'the optional package @echogarden/espeak-ng-emscripten is not installed';
  }
})();

const engines = [
  { prefer: 'espeak-ng', name: /^espeak-ng \d/, skip: await missing('espeak-ng') },
  { prefer: 'flite', name: /^flite \d/, skip: await missing('flite') },
  { prefer: 'wasm', name: /^espeak-ng wasm \d/, skip: wasmMissing },
] as const;

for (const { prefer, name, skip } of engines) {
  test(`${prefer} really speaks: texts that look like options or markup too`, { skip }, async () => {
    const engine = await open({ prefer });
    assert.match(engine.name, name);
    const path = await engine.speak({ text: 'Please press one to confirm.' });
    const seconds = await secondsOfSound(path);
    assert.ok(seconds > 0.8 && seconds < 4, String(seconds));
    assert.equal(await engine.speak({ text: 'Please press one to confirm.' }), path);
    assert.ok((await secondsOfSound(await engine.speak({ text: '--version & <one> "two"' }))) > 0.3);
    const pause = '<speak>One<break time="2s"/>two</speak>';
    assert.ok((await secondsOfSound(await engine.speak({ text: pause, ssml: true }))) > 0.3);
    assert.ok((await loadSound(await engine.speak({ text: '' }), { sampleRate: 8000 })).length > 0);
  });
}

for (const { prefer, skip } of engines.filter((engine) => engine.prefer !== 'flite')) {
  test(`${prefer} speaks the languages and voices that are asked for`, { skip }, async () => {
    const engine = await open({ prefer });
    const text = 'Drei vier fünf';
    const paths = await Promise.all([
      engine.speak({ text }),
      engine.speak({ text, language: 'de-DE' }),
      engine.speak({ text, language: 'de-DE', voice: 'man' }),
    ]);
    const contents = await Promise.all(paths.map((path) => readFile(path, 'latin1')));
    assert.equal(new Set(contents).size, 3);
  });
}

test('makes the same text once, also when many ask at the same time and after a restart', async () => {
  const fake = await fakeFlite('');
  const cacheFolder = join(folder, 'shared');
  const options = { cacheFolder, prefer: 'flite', environmentPath: fake.path } as const;
  const engine = await open(options);
  assert.equal(engine.name, 'flite 9.9');
  const paths = await Promise.all(Array.from({ length: 20 }, () => engine.speak({ text: 'hello' })));
  assert.equal(new Set(paths).size, 1);
  assert.equal(await (await open(options)).speak({ text: 'hello' }), paths[0]);
  assert.equal(await fake.runs(), 1);
  await engine.speak({ text: 'hello', voice: 'man' });
  assert.equal(await fake.runs(), 2);
  await rm(paths[0] as string);
  await engine.speak({ text: 'hello' });
  assert.equal(await fake.runs(), 3);
});

test('leaves nothing behind when the engine fails, says why, and tries again the next time', async () => {
  const fake = await fakeFlite('echo "out of voices" >&2; exit 3');
  const cacheFolder = join(folder, 'failing');
  const engine = await open({ cacheFolder, prefer: 'flite', environmentPath: fake.path });
  for (let i = 0; i < 2; i++) {
    await assert.rejects(engine.speak({ text: 'x' }), isSpeechError('failed', /exit code 3: out of voices/));
  }
  assert.equal(await fake.runs(), 2);
  assert.deepEqual(await readdir(cacheFolder), []);
});

test('gives the program its path and nothing else of the environment', async () => {
  process.env['TANDEM_TEST_SECRET'] = 'hidden';
  const fake = await fakeFlite('env > "$(dirname "$0")/environment"');
  const engine = await open({ prefer: 'flite', environmentPath: fake.path });
  await engine.speak({ text: 'x' });
  const environment = await readFile(join(fake.path.split(delimiter)[0] as string, 'environment'), 'utf8');
  delete process.env['TANDEM_TEST_SECRET'];
  assert.match(environment, /^PATH=/m);
  assert.doesNotMatch(environment, /hidden|HOME=/);
});

test('ends a program that hangs', async () => {
  const fake = await fakeFlite('exec sleep 60');
  const command = join(fake.path.split(delimiter)[0] as string, 'flite');
  const job = { command, arguments: [], input: 'x', environmentPath: fake.path, timeoutMs: 200 };
  await assert.rejects(runSpeechProcess(job), isSpeechError('failed', /SIGKILL.*limit 200 ms/));
});

test('refuses texts that are too long', async () => {
  const fake = await fakeFlite('');
  const engine = await open({ prefer: 'flite', environmentPath: fake.path });
  await assert.rejects(engine.speak({ text: 'x'.repeat(MAX_SPEECH_CHARS + 1) }), isSpeechError('too-long'));
});

test('holds the clock while it speaks, and lets go after a failure too', async () => {
  let held = 0;
  let holds = 0;
  const clock: Clock = {
    ...systemClock,
    hold: () => {
      held += 1;
      holds += 1;
      return () => (held -= 1);
    },
  };
  const fake = await fakeFlite('exit 1');
  const engine = await open({ clock, prefer: 'flite', environmentPath: fake.path });
  const speaking = engine.speak({ text: 'x' });
  assert.equal(held, 1);
  await assert.rejects(speaking);
  assert.deepEqual([held, holds], [0, 1]);
});

test('gives up the files that were not used for the longest time when the cache is full', async () => {
  const fake = await fakeFlite('');
  let nowMs = 0;
  const clock: Clock = { ...systemClock, now: () => (nowMs += 3_600_000) };
  const cacheFolder = join(folder, 'small');
  // Each file has 1644 bytes.
  const engine = await open({ cacheFolder, clock, prefer: 'flite', environmentPath: fake.path, maxCacheBytes: 4000 });
  for (const text of ['a', 'b', 'a', 'c']) await engine.speak({ text });
  assert.equal((await readdir(cacheFolder)).length, 2);
  await engine.speak({ text: 'a' });
  assert.equal(await fake.runs(), 3);
});

test('names the ways out when no engine is there', async () => {
  await assert.rejects(
    open({ prefer: 'flite', environmentPath: folder }),
    isSpeechError('no-engine', /install espeak-ng/),
  );
});

test('asks a speech endpoint, and lets the local engine stand in when it fails', async () => {
  const fake = await fakeFlite('');
  const requests: {
    readonly url: string;
    readonly body: unknown;
    readonly headers: Readonly<Record<string, string>>;
  }[] = [];
  let wav = await readFile(await (await open({ prefer: 'flite', environmentPath: fake.path })).speak({ text: 'x' }));
  let status = 200;
  const engine = await open({
    environmentPath: fake.path,
    endpoint: { url: 'http://127.0.0.1:8880/v1/audio/speech', apiKey: 'k', model: 'kokoro' },
    http: ({ url, body, headers }) => {
      requests.push({ url, body: JSON.parse(body), headers });
      return Promise.resolve({ status, body: wav });
    },
  });
  assert.equal(engine.name, 'kokoro at 127.0.0.1:8880');
  const path = await engine.speak({ text: 'Hello', voice: 'man' });
  assert.equal(parseWav(await readFile(path)).kind, 'ok');
  assert.equal(requests[0]?.headers['authorization'], 'Bearer k');
  assert.deepEqual(requests[0]?.body, {
    model: 'kokoro',
    input: 'Hello',
    voice: 'onyx',
    response_format: 'wav',
    speed: 1,
  });
  status = 500;
  assert.notEqual(await engine.speak({ text: 'Other' }), path);
  status = 200;
  wav = Buffer.from('{"error":"quota"}');
  assert.notEqual(await engine.speak({ text: 'Third' }), path);
  assert.equal(requests.length, 3);
});
