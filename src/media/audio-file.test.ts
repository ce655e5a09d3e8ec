import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import { decodeSound, loadSound } from './audio-file.ts';
import { amplitudeOf } from '../wire/sound/goertzel.ts';
import { MediaError } from './media-error.ts';
import { decodeMp3, isMp3 } from './mp3.ts';
import { MP3 } from './mp3.fixture.ts';
import { SoundCache } from './sound-cache.ts';
import { toneSamples } from './tone.ts';
import { openWavWriter } from './wav-writer.ts';

const folder = await mkdtemp(join(tmpdir(), 'tandem-sound-'));
after(() => rm(folder, { recursive: true }));

async function toneFile(name: string, sampleRate: number, durationMs = 1000): Promise<string> {
  const path = join(folder, name);
  const writer = await openWavWriter({ path, sampleRate, channels: 1 });
  const samples = toneSamples({ hertz: [600], durationMs, sampleRate, level: -10 });
  for (let at = 0; at < samples.length; at += sampleRate) {
    writer.append(samples.subarray(at, at + sampleRate));
    await writer.flushed();
  }
  await writer.close();
  return path;
}

const isBadAudio =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof MediaError && error.code === 'bad-audio' && pattern.test(error.message);

for (const sampleRate of [8000, 16_000, 22_050, 44_100]) {
  test(`loads a WAV of ${sampleRate} Hz with its tone and its length`, async () => {
    const samples = await loadSound(await toneFile(`tone${sampleRate}.wav`, sampleRate), { sampleRate: 8000 });
    assert.equal(samples.length, 8000);
    const wanted = 32_767 * 10 ** ((-10 - 3.17) / 20);
    assert.ok(Math.abs(amplitudeOf(600, samples.subarray(2000, 6000), 8000) / wanted - 1) < 0.03);
  });
}

test('loads an MP3 with its tone and its length, whatever its name says', async () => {
  const path = join(folder, 'really-mp3.wav');
  await writeFile(path, MP3);
  const samples = await loadSound(path, { sampleRate: 8000 });
  // Whole frames, and the delay of the encoder: up to three frames more.
  assert.ok(samples.length >= 3200 && samples.length <= 3200 + 3 * 576, String(samples.length));
  const amplitude = amplitudeOf(600, samples.subarray(1000, 2600), 8000);
  assert.ok(amplitude > 12_000 && amplitude < 20_000, String(amplitude));
});

test('finds the sound of an MP3 behind a large ID3 tag', async () => {
  const tag = Buffer.alloc(10 + 200_000, 0xff);
  // 200000 in four bytes of seven bits.
  Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0x0c, 0x1a, 0x40]).copy(tag);
  const samples = await decodeSound(Buffer.concat([tag, MP3]), { path: 'tagged.mp3', sampleRate: 8000 });
  assert.ok(amplitudeOf(600, samples.subarray(1000, 2600), 8000) > 12_000);
});

test('says what it found where no sound is', async () => {
  const path = join(folder, 'page.wav');
  await writeFile(path, '<!doctype html><title>404</title>');
  await assert.rejects(loadSound(path, { sampleRate: 8000 }), isBadAudio(/want WAV or MP3.*<!doctype html/));
  await writeFile(path, '');
  await assert.rejects(loadSound(path, { sampleRate: 8000 }), isBadAudio(/an empty file/));
  await assert.rejects(loadSound(join(folder, 'none.wav'), { sampleRate: 8000 }), isBadAudio(/ENOENT/));
  await assert.rejects(loadSound(folder, { sampleRate: 8000 }), isBadAudio(/EISDIR/));
  const empty = Buffer.from('ID3\u0004\0\0\0\0\0\0', 'latin1');
  await assert.rejects(decodeSound(empty, { path: 'x', sampleRate: 8000 }), isBadAudio(/holds no sound/));
});

test('refuses files that are too large or too long', async () => {
  const path = await toneFile('long.wav', 8000, 3000);
  await assert.rejects(
    loadSound(path, { sampleRate: 8000, maxBytes: 1000 }),
    isBadAudio(/48044 bytes: want at most 1000/),
  );
  await assert.rejects(loadSound(path, { sampleRate: 8000, maxSeconds: 2 }), isBadAudio(/longer than 2 s/));
});

test('takes only real frames for MP3', () => {
  assert.ok(isMp3(MP3));
  assert.ok(isMp3(MP3.subarray(72)));
  assert.equal(isMp3(Buffer.alloc(5000, 0xff)), false);
  assert.equal(isMp3(Buffer.from('plain text, nothing else')), false);
});

test('never fails but with bad-audio, on random and on damaged bytes', async () => {
  const random = fc.uint8Array({ maxLength: 300 });
  const damaged = fc
    .array(fc.tuple(fc.nat(MP3.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 })
    .map((changes) => changes.reduce((bytes, [at, value]) => bytes.with(at, value), new Uint8Array(MP3)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(random, damaged), async (bytes) => {
      await decodeSound(bytes, { path: 'x', sampleRate: 8000 }).catch((error: unknown) => {
        assert.ok(error instanceof MediaError && error.code === 'bad-audio');
      });
      for await (const piece of decodeMp3(bytes)) assert.ok(piece.sampleRate > 0);
    }),
    { numRuns: 60 },
  );
});

test('gives the thread back between slices of a long file', async () => {
  const path = await toneFile('minutes.wav', 44_100, 60_000);
  let turns = 0;
  let loading = true;
  const count = (): void => {
    turns += 1;
    if (loading) setImmediate(count);
  };
  setImmediate(count);
  assert.equal((await loadSound(path, { sampleRate: 8000 })).length, 480_000);
  loading = false;
  // A minute takes some hundred milliseconds of work; without slices there would be a handful of turns.
  assert.ok(turns > 15, String(turns));
});

test('decodes a cached file once, also for callers at the same time, and anew when it changed', async () => {
  const cache = new SoundCache();
  const path = await toneFile('cached.wav', 8000);
  const options = { sampleRate: 8000, cache };
  const [one, two] = await Promise.all([loadSound(path, options), loadSound(path, options)]);
  assert.equal(one, two);
  assert.equal(await loadSound(path, options), one);
  await utimes(path, 1, 1);
  assert.notEqual(await loadSound(path, options), one);
});

test('gives an MP3 up that is damaged everywhere, whose every damage the decoder writes to standard error', async (t) => {
  const written = t.mock.method(console, 'error', () => undefined);
  const garbage = seededRandom(1).bytes(400_000);
  const bytes = Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\0\0', 'latin1'), garbage]);
  for await (const { samples } of decodeMp3(bytes)) assert.ok(samples.length > 0);
  const { length } = written.mock.calls;
  assert.ok(length > 10 && length < 100, `${length} lines`);
});
