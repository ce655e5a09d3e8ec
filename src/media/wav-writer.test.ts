import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MediaError } from './media-error.ts';
import { parseWav, readWavMono, wavFrames } from './wav-reader.ts';
import { openWavWriter } from './wav-writer.ts';

const folder = await mkdtemp(join(tmpdir(), 'tandem-wav-'));
after(() => rm(folder, { recursive: true }));

async function readBack(
  path: string,
): Promise<{ readonly samples: Float32Array; readonly sampleRate: number; readonly channels: number }> {
  const bytes = await readFile(path);
  const parsed = parseWav(bytes);
  if (parsed.kind !== 'ok') throw new Error(JSON.stringify(parsed));
  const samples = new Float32Array(wavFrames(parsed.value));
  readWavMono(bytes, parsed.value, 0, samples);
  assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true), bytes.length - 8);
  return { samples, sampleRate: parsed.value.sampleRate, channels: parsed.value.channels };
}

test('writes a file that reads back sample by sample', async () => {
  const path = join(folder, 'mono.wav');
  const writer = await openWavWriter({ path, sampleRate: 8000, channels: 1 });
  const frame = new Int16Array(160);
  for (let i = 0; i < 500; i++) writer.append(frame.fill(i));
  assert.equal(writer.durationMs, 10_000);
  await writer.close();
  const { samples, sampleRate } = await readBack(path);
  assert.equal(sampleRate, 8000);
  assert.equal(samples.length, 80_000);
  assert.ok(samples.every((value, i) => value === Math.floor(i / 160) / 32_768));
});

test('counts a frame of two channels once', async () => {
  const path = join(folder, 'stereo.wav');
  const writer = await openWavWriter({ path, sampleRate: 8000, channels: 2 });
  writer.append(Int16Array.of(100, 300, -100, 100));
  assert.equal(writer.frames, 2);
  await writer.close();
  const { samples, channels } = await readBack(path);
  assert.deepEqual([channels, ...samples], [2, 200 / 32_768, 0]);
});

test('cuts off the end that is not wanted', async () => {
  const path = join(folder, 'cut.wav');
  const writer = await openWavWriter({ path, sampleRate: 8000, channels: 1 });
  writer.append(new Int16Array(20_000).fill(5));
  await writer.close({ keepFrames: 300 });
  await writer.close();
  assert.equal((await readBack(path)).samples.length, 300);
});

test('is readable up to what was written when the writer never closes', async () => {
  const path = join(folder, 'crash.wav');
  const writer = await openWavWriter({ path, sampleRate: 8000, channels: 1 });
  writer.append(new Int16Array(40_000).fill(9));
  await writer.flushed();
  const parsed = parseWav(await readFile(path));
  assert.ok(parsed.kind === 'ok' && wavFrames(parsed.value) > 30_000);
  await writer.discard();
  assert.equal(existsSync(path), false);
});

test('says no-disk for a folder that is not there', async () => {
  await assert.rejects(
    openWavWriter({ path: join(folder, 'missing', 'x.wav'), sampleRate: 8000, channels: 1 }),
    (error) => error instanceof MediaError && error.code === 'no-disk',
  );
});

test(
  'tells a full disk once, drops what follows and rejects the close',
  { skip: !existsSync('/dev/full') && 'no /dev/full' },
  async () => {
    const told: MediaError[] = [];
    // A failed recording is removed: the link goes, not the device.
    const path = join(folder, 'full.wav');
    await symlink('/dev/full', path);
    const writer = await openWavWriter({ path, sampleRate: 8000, channels: 1, onFailure: (error) => told.push(error) });
    for (let i = 0; i < 1000; i++) writer.append(new Int16Array(160));
    await writer.flushed();
    writer.append(new Int16Array(160));
    assert.deepEqual(
      told.map(({ code }) => code),
      ['no-disk'],
    );
    assert.equal(writer.frames, 160_000);
    await assert.rejects(writer.close(), (error) => error instanceof MediaError && error.code === 'no-disk');
    assert.equal(existsSync(path), false);
    assert.equal(existsSync('/dev/full'), true);
  },
);

test('never holds more than its share of memory for a disk that does not keep up', async () => {
  const writer = await openWavWriter({ path: join(folder, 'slow.wav'), sampleRate: 8000, channels: 1 });
  // Nothing can be written while this loop holds the thread.
  for (let i = 0; i < 20; i++) writer.append(new Int16Array(160_000));
  await assert.rejects(writer.close(), /takes longer than the sound/);
});
